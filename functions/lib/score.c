/*
 * Scores: rounding and bands.
 */
#include "lib/score.h"

#include <math.h>
#include <stdbool.h>

/* Not floor(x + 0.5): the sum rounds 0.49999999999999994 up to 1. Not round(), which takes -2.5 to -3. */
double js_round(double value)
{
    double below = floor(value);
    double rounded = value - below >= 0.5 ? below + 1 : below;

    return rounded == 0 ? 0 : rounded;
}

/*
 * value * 10 is tens + rest exactly, rest being what the product lost. It decides where the product alone looks
 * like a tie, or like a whole number.
 */
double score_fixed1(double value)
{
    double tens = value * 10, rest = fma(value, 10, -tens), below = floor(tens);
    if (tens == below && rest < 0)
        below--;
    bool up = tens - below > 0.5 || (tens - below == 0.5 && rest >= 0);
    return (below + up) / 10;
}

const char *score_band(double score)
{
    if (score < 40)
        return "Critical";
    if (score < 60)
        return "At Risk";
    return score < 80 ? "Healthy" : "Optimized";
}
