/*
 * The outside providers that the runtime knows: where they are, and which environment variables speak of them.
 */
#ifndef PROVIDERS_H
#define PROVIDERS_H

struct provider {
    const char *name;
    const char *base_url;      /* NULL: none by default */
    const char *url_variables; /* these override the base URL, the first one set wins; separated by commas */
    const char
        *key_variables; /* the same for the key; NULL: the provider's functions have their own credentials */
    const char *key_header; /* NULL: Authorization: Bearer */
};

/* Ended by an entry without a name. */
extern const struct provider provider_table[];

/* Value of the first variable of a list that is set, NULL when none is; its name goes to *variable if that is
 * given. */
const char *variables_get(const char *list, char variable[64]);

#endif
