/*
 * The outside providers that the runtime knows: where they are, and which environment variables speak of them.
 */
#ifndef PROVIDERS_H
#define PROVIDERS_H

#include <stdbool.h>

struct provider {
    const char *name;
    const char *base_url;      /* NULL: none by default */
    const char *url_variables; /* these override the base URL, the first one set wins; separated by commas */
    const char *key_variables; /* the same for the key; NULL: functions have credentials of their own */
    const char *key_header;    /* NULL: Authorization: Bearer */
    const char *credentials;   /* variables with ids and secrets of an account there, separated by commas */
    const char *url_host;      /* calls may name URLs at or under it */
    bool public_urls;          /* calls may name any public URL */
};

/* Ended by an entry without a name. */
extern const struct provider provider_table[];

/* The entry of a provider, NULL when the table has none. */
const struct provider *builtin_provider_find(const char *name);

enum {
    VARIABLE_MAX = 96
}; /* a variable's name, NUL included */

/*
 * The variables that override a provider's base URL, in the table or not (then <NAME>_BASE_URL, written to
 * buffer), separated by commas.
 */
const char *provider_url_variables(const char *name, char buffer[VARIABLE_MAX]);

/* The first variable of a list, written to buffer. */
const char *variables_first(const char *list, char buffer[VARIABLE_MAX]);

/* Value of the first variable of a list that is set, its name in buffer; NULL when none is. */
const char *variables_get(const char *list, char buffer[VARIABLE_MAX]);

#endif
