/*
 * What differs between two configurations.
 */
#ifndef COMPARE_H
#define COMPARE_H

#include <stdbool.h>

struct config;
struct function_config;

/* Whether what workers are made of is the same: [server], [database], [auth] and [providers]. */
bool config_same_ground(const struct config *a, const struct config *b);

/* Whether two functions are configured alike. */
bool config_same_function(const struct function_config *a, const struct function_config *b);

#endif
