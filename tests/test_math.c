/* test_math.c - exp and log: below one unit in the last place against long double, and the special values. The check of
 * the arithmetic, under other rounding modes. */
#include "greatest.h"

#include "../data/data.h"

#include <fenv.h>
#include <float.h>
#include <math.h>

/* |value - truth| in units of the last place of a double of truth's size. */
static double units(double value, long double truth)
{
    int exponent;
    frexp((double)truth, &exponent);
    return (double)(fabsl((long double)value - truth) / ldexpl(1, exponent - 53));
}

TEST exp_and_log_err_by_less_than_a_unit(void)
{
    double worst_exp = 0, worst_log = 0;
    uint64_t k;
    if (LDBL_MANT_DIG < 64) SKIPm("long double is no more precise than double here");
    for (k = 0; k < 200000; k++) {
        const double u = fer_uniform(9, FER_FOR_CHECKS, 0, k), x = (u - 0.5) * (k % 2 ? 60 : 1400);
        const double y = k % 3 == 0 ? 0.5 + u : k % 3 == 1 ? 100 * u : exp(x);
        worst_exp = fmax(worst_exp, units(fer_exp(x), expl((long double)x)));
        if (y > 0) worst_log = fmax(worst_log, units(fer_log(y), logl((long double)y)));
    }
    ASSERT(worst_exp < 0.9 && worst_exp > 0.5); /* above 0.5, or the judge would be no better than the judged */
    ASSERT(worst_log < 0.9 && worst_log > 0.5);
    PASS();
}

TEST special_values(void)
{
    const double infinity = (double)INFINITY;
    ASSERT(fer_exp(0) == 1 && fer_exp(-0.0) == 1);
    ASSERT(fer_exp(infinity) == infinity && fer_exp(-infinity) == 0);
    ASSERT(fer_exp(710) == infinity && fer_exp(709) < infinity);
    ASSERT(fer_exp(-745) > 0 && fer_exp(-746) == 0);
    ASSERT(fer_exp(NAN) != fer_exp(NAN));
    ASSERT(fer_log(1) == 0);
    ASSERT(fer_log(0) == -infinity && fer_log(-0.0) == -infinity && fer_log(infinity) == infinity);
    ASSERT(fer_log(-1) != fer_log(-1) && fer_log(-infinity) != fer_log(-infinity) && fer_log(NAN) != fer_log(NAN));
    ASSERT(fabs(fer_log(5e-324) + 744.4400719213812) < 1e-12);
    ASSERT(fabs(fer_log(DBL_MAX) - 709.782712893384) < 1e-12);
    ASSERT_EQ(1, fer_library()); /* whichever of the two it is */
    PASS();
}

/* The same bits everywhere: those of today, at points of all sizes and at those where the ways part. */
TEST exp_and_log_have_their_bits(void)
{
    enum { POINTS = 20000 };
    static const double parting[] = {1.4142135623730951, 1.4142135623730954, 1.414213562373095, 2.2250738585072014e-308, 2.225073858507201e-308,
                                     1, 0.9999999999999999, 5e-324, DBL_MAX};
    static double value[2][POINTS];
    uint32_t digest[2];
    int i;
    for (i = 0; i < POINTS; i++) {
        const double x = (i - POINTS / 2) * 0.0745;
        value[0][i] = fer_exp(i % 2 ? x : x / 1024);
        value[1][i] = fer_log(i < 9 ? parting[i] : ldexp(1 + i * 0x1p-14, i % 2 ? 0 : i / 10 - 1000));
    }
    for (i = 0; i < 2; i++) digest[i] = fer_crc32_values(0, value[i], sizeof(double), POINTS);
    ASSERT_EQ_FMT(0x93850814u, digest[0], "0x%08x");
    ASSERT_EQ_FMT(0x016d3cfdu, digest[1], "0x%08x");
    PASS();
}

TEST another_rounding_mode_is_refused(void)
{
    struct fer_error e = {""};
    struct fer_network *network;
    ASSERT_EQ(0, fer_arithmetic_check(&e));
#ifdef FE_UPWARD
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    int i, refused, created;
    for (i = 0; i < 3; i++) {
        if (fesetround(modes[i])) SKIPm("the rounding mode cannot be set here");
        refused = fer_arithmetic_check(&e);
        created = fer_incv3v1(&network, 48, NULL);
        fesetround(FE_TONEAREST);
        ASSERT_EQ(-1, refused);
        ASSERT_EQ(-1, created);
        ASSERT(strstr(e.text, "do not round to nearest"));
    }
#endif
    (void)network;
    ASSERT_EQ(0, fer_arithmetic_check(&e));
    PASS();
}

SUITE(suite_math)
{
    RUN_TEST(another_rounding_mode_is_refused);
    RUN_TEST(exp_and_log_err_by_less_than_a_unit);
    RUN_TEST(special_values);
    RUN_TEST(exp_and_log_have_their_bits);
}
