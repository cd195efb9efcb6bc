/*
 * Plans and tiers.
 */
#include "lib/plan.h"

#include <stddef.h>
#include <string.h>

static const struct plan starter = { "starter", "Starter", 100 };
static const struct plan professional = { "professional", "Professional", 300 };
static const struct plan enterprise = { "enterprise", "Enterprise", 0 };
static const struct plan *const plans[] = { &starter, &professional, &enterprise };
const char *const plan_labels[] = { "Starter", "Professional", "Enterprise", NULL };

/* In the order in which the words are looked for. */
static const struct {
    const char *word;
    const struct plan *plan;
} words[] = {
    { "starter", &starter },
    { "pro", &professional },
    { "enterprise", &enterprise },
    { "team", &enterprise },
};

const struct plan *plan_of_key(const char *key)
{
    for (size_t i = 0; key != NULL && i < sizeof plans / sizeof *plans; i++)
        if (strcasecmp(plans[i]->key, key) == 0)
            return plans[i];
    return NULL;
}

const struct plan *plan_of_text(const char *text)
{
    const struct plan *plan = plan_of_key(text);
    for (size_t i = 0; plan == NULL && text != NULL && i < sizeof words / sizeof *words; i++)
        if (strcasestr(text, words[i].word) != NULL)
            plan = words[i].plan;
    return plan;
}

bool tier_is_paid(const char *tier)
{
    static const char *const paid[] = { "Subscriber", "Admin", "Owner", "Investor" };
    for (size_t i = 0; tier != NULL && i < sizeof paid / sizeof *paid; i++)
        if (strcmp(paid[i], tier) == 0)
            return true;
    return false;
}
