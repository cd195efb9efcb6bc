/*
 * The environment variables that a configuration asks for, and who needs them: for `edge env` and
 * /_edge/ready?verbose. Names only, never a value.
 */
#ifndef CONFIG_NEEDS_H
#define CONFIG_NEEDS_H

#include <jansson.h>
#include <stdbool.h>

struct config;

enum need {
    NEED_OPTIONAL, /* somebody may read it */
    NEED_FEATURE,  /* without it a provider or a part of the host answers 503 "not_configured" */
    NEED_REQUIRED  /* without it a function cannot be served */
};

/*
 * Variables by name in the order in which they are found: {"DATABASE_URL": {"need": "feature", "required":
 * false, "set": true, "users": ["the database"]}}. The caller's reference.
 */
json_t *needs_of(const struct config *config);

/* Adds one user of a variable to them. The strongest need stands. */
void needs_add(json_t *needs, const char *variable, enum need need, bool set, const char *user);

/* Those that are not set, the strongest needs first: an array of the same objects, each with "variable". */
json_t *needs_missing(const json_t *needs);

/* Those and the others. */
json_t *needs_sorted(const json_t *needs);

#endif
