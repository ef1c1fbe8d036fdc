/* findings.c - what the outcomes of the experiments say in numbers. */
#include "pits.h"

#include <math.h>

int fer_pit_of_loss_alone(const struct fer_pit_findings *f)
{
    return f->pit.in_loss && !f->pit.in_accuracy;
}

double fer_pit_merit(const struct fer_pit_findings *f, const struct fer_pit_outcome *o)
{
    return fer_pit_of_loss_alone(f) ? -fer_log(o->loss) : o->accuracy;
}

double fer_pit_level(const struct fer_pit_findings *f)
{
    return fer_pit_of_loss_alone(f) ? -fer_log(f->pit.loss_level) : f->pit.level;
}

double fer_pit_noise(const struct fer_pit_findings *f)
{
    return fer_pit_of_loss_alone(f) ? f->pit.loss_noise : f->pit.noise;
}

double fer_pit_drop(const struct fer_pit_findings *f)
{
    return fer_pit_level(f) - fer_pit_merit(f, &f->base);
}

double fer_pit_recovered(const struct fer_pit_findings *f, const struct fer_pit_outcome *o)
{
    const double part = (fer_pit_merit(f, o) - fer_pit_merit(f, &f->base)) / fer_pit_drop(f);
    return !(fer_pit_drop(f) > 0) ? NAN : part == 0 ? 0 : part; /* 0, not -0 */
}

int fer_pit_better(const struct fer_pit_findings *f, const struct fer_pit_outcome *o,
                   const struct fer_pit_outcome *other)
{
    return fer_pit_merit(f, o) > fer_pit_merit(f, other);
}

int fer_pit_blamed_layer(const struct fer_pit_findings *f)
{
    const double exact = fer_pit_recovered(f, &f->exact);
    return f->layer >= 0 && exact >= 0.25 && fer_pit_recovered(f, &f->alone[f->layer]) >= exact / 2 ? f->layer : -1;
}
