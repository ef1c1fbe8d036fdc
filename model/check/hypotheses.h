/* hypotheses.h - how a computation that is WRONG may have come about: another choice of an option, or a mistake that
 * is often made. It is done once more so, and what is ok then is explained. Both `verify --op` and `verify` of a
 * record ask here. */
#ifndef FER_HYPOTHESES_H
#define FER_HYPOTHESES_H

#include "../../fer.h"

/* Mistakes that no option makes. */
enum fer_twist {
    FER_NO_TWIST,
    FER_KERNEL_TURNED,       /* by 180 degrees */
    FER_KERNEL_EXCHANGED,    /* its height and width */
    FER_KERNEL_AS_OIHW,      /* the memory of [kh][kw][ci][co] read as [co][ci][kh][kw]; [in][out] as [out][in] */
    FER_KERNEL_FROM_OIHW,    /* and the other way round */
    FER_INPUT_AS_NCHW,       /* the same of images */
    FER_INPUT_FROM_NCHW,
    FER_INPUT_WITHOUT_TAIL_4, /* of n input channels, the last n mod 4 are left out */
    FER_INPUT_WITHOUT_TAIL_8,
    FER_INPUT_WITHOUT_TAIL_16,
    FER_NO_BIAS,
    FER_NO_DILATION,
    FER_GROUPS_CROSSED,      /* each group reads the next one's channels */
    FER_GROUPS_MIXED,        /* each group reads every G-th channel */
    FER_PADDING_TURNED,
    FER_FACTORS_BF16,        /* rounded */
    FER_FACTORS_CUT_BF16,    /* cut off */
    FER_FACTORS_F16,
    FER_NEXT_SCALE,          /* a folded BatchNormalization takes the next channel's scale */
    FER_NEXT_SCALE_OF_KERNEL, /* but for what it subtracts */
    FER_NO_BETA,
    FER_NO_SHIFT,            /* beta - mean * scale */
    FER_CONSTANT_STATISTICS,
    FER_UNBIASED_SCALE,      /* of a batch, 1 / sqrt(its unbiased variance + epsilon) */
    FER_EPSILON_OUTSIDE,     /* 1 / (sqrt(variance) + epsilon) */
    FER_NO_VARIANCE_TERM,
    FER_NO_MASK,
    FER_NO_LABEL,
    FER_NO_MAXIMUM,
    /* and what is no mistake: see conventions.c */
    FER_NAN_LOST,            /* NaN in x is taken for -infinity */
    FER_NAN_BY_PLACE,        /* a maximum keeps it or loses it */
    FER_SLOPE_HALF,          /* at a kink */
    FER_SLOPE_INSIDE,        /* at the upper end of what is clipped, the slope below */
    FER_NO_LIMIT,            /* of x * sigmoid(x) at the infinities */
    FER_EXACT_CONSTANT,      /* a constant channel, normalised, is exactly beta */
    FER_SUM_OVERFLOWS        /* of an average, before it is divided */
};

struct fer_hypothesis {
    const char *operation;       /* of `op`; also the kind of layer, as in checks.c */
    struct fer_op_option option; /* NULL: none */
    enum fer_twist twist;
    const char *words;           /* "...: --padding same": what begins with the colon is for `op` alone */
};

/* The i-th hypothesis of an operation, or (NULL) of all. NULL behind the last. */
const struct fer_hypothesis *fer_hypothesis(const char *operation, int i);

/* Changes what the operation reads, `what` being x, kernel, bias, ...; `groups` of its channels. 0; -1: no memory. */
int fer_twist_array(enum fer_twist twist, const char *what, int dims, const size_t *shape, size_t groups, real *values,
                    struct fer_error *e);
/* Its window; `same`: the padding follows from the kernel. */
void fer_twist_window(enum fer_twist twist, int same, struct fer_window *g);
/* The statistics and parameters that a BatchNormalization in inference mode reads; gamma and beta may be NULL. */
void fer_twist_scaling(enum fer_twist twist, size_t channels, double epsilon, real *mean, real *variance, real *gamma,
                       real *beta);

#endif
