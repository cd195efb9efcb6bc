/*
 * Arithmetic and bands that the engines' scores share: JavaScript's, because its results are the compatible
 * ones.
 */
#ifndef LIB_SCORE_H
#define LIB_SCORE_H

/* Math.round: halves go up, also below zero; never -0. */
double js_round(double value);

/*
 * value (0 and more) with one decimal, the nearest to its exact binary value; a tie goes up. 6.25 is 6.3; 0.15,
 * which is stored a little below, is 0.1.
 */
double score_fixed1(double value);

/* "Critical" below 40, "At Risk" below 60, "Healthy" below 80, else "Optimized". */
const char *score_band(double score);

#endif
