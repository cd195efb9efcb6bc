/*
 * Scores: rounding and bands.
 */
#include "lib/score.h"

#include <math.h>

/* Not floor(x + 0.5): the sum rounds 0.49999999999999994 up to 1. Not round(), which takes -2.5 to -3. */
double js_round(double value)
{
    double below = floor(value);
    double rounded = value - below >= 0.5 ? below + 1 : below;

    return rounded == 0 ? 0 : rounded;
}

const char *score_band(double score)
{
    if (score < 40)
        return "Critical";
    if (score < 60)
        return "At Risk";
    return score < 80 ? "Healthy" : "Optimized";
}
