/*
 * Numbers in texts, as JavaScript's Number() reads them.
 */
#ifndef LIB_NUMBER_H
#define LIB_NUMBER_H

/*
 * A text without the white space around it: empty it is 0; a decimal literal (sign, point, exponent) or an
 * unsigned integer with 0x, 0b or 0o is its value, which may be infinite; anything else is otherwise.
 */
double number_read(const char *text, double otherwise);

#endif
