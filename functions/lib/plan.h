/*
 * Plans and tiers (spec events.md S2): what is bought, and what a profile's tier says.
 */
#ifndef LIB_PLAN_H
#define LIB_PLAN_H

#include <stdbool.h>
#include <stdint.h>

struct plan {
    const char *key, *label;
    int64_t minutes; /* 0: unlimited, NULL in the database */
};

/* Their labels; NULL-terminated. */
extern const char *const plan_labels[];

/* The plan of a key, in any case; NULL when it is none. */
const struct plan *plan_of_key(const char *key);

/*
 * The plan a free text means: a key, else by the words in it. NULL: none of them is.
 */
const struct plan *plan_of_text(const char *text);

/* Whether profiles.subscription_tier is a paid one. NULL is not. */
bool tier_is_paid(const char *tier);

#endif
