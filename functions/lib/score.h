/*
 * Arithmetic and bands that the engines' scores share: JavaScript's, because its results are the compatible
 * ones.
 */
#ifndef LIB_SCORE_H
#define LIB_SCORE_H

/* Math.round: halves go up, also below zero; never -0. */
double js_round(double value);

/* "Critical" below 40, "At Risk" below 60, "Healthy" below 80, else "Optimized". */
const char *score_band(double score);

#endif
