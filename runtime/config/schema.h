/*
 * The keys of functions.toml: one table a section, each entry with its type, default, limits and meaning. The
 * loader, the messages and `edge config keys` are made from these tables; nothing else knows a key's name.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include "checks.h"
#include "config.h"

#include <stdint.h>

enum setting_type {
    SETTING_TEXT,     /* const char * */
    SETTING_PATH,     /* const char *, made absolute */
    SETTING_PEM,      /* const char *, with its lines restored */
    SETTING_TEXTS,    /* const char **, check applies to each item */
    SETTING_INTEGER,  /* int, low..high */
    SETTING_BOOL,     /* bool */
    SETTING_DURATION, /* int64_t milliseconds, low..high */
    SETTING_SIZE,     /* size_t bytes, low..high */
    SETTING_CHOICE,   /* const char *, one of choices */
    SETTING_RATE,     /* struct rate_limit */
    SETTING_AUTH,     /* enum auth_mode, and webhook_scheme behind it */
    SETTING_FINISH,   /* bool: "finish" of choices */
};

enum setting_flags {
    /*
     * Says where, or with which secret, something optional is reached. A reference to an unset variable, or "",
     * leaves such a setting unset instead of being an error: what needs it answers not_configured, and
     * everything else is served. In all other settings an unset variable without a default is an error.
     */
    SETTING_OPTIONAL = 1,
    SETTING_SECRET = 2,  /* its value is never shown in a message */
    SETTING_DEFAULT = 4, /* of functions: may stand in [defaults] too */
};

struct setting {
    const char *key;
    enum setting_type type;
    const char *fallback; /* as one would write it, without quotes; NULL: unset */
    int64_t low, high;
    const char *const *choices; /* NULL-terminated */
    const char *(*check)(const char *text);
    unsigned flags;
    size_t offset;    /* into the section's struct */
    const char *help; /* a sentence without a full stop */
};

struct section {
    const char *name;
    const struct setting *settings; /* ended by an entry without a key */
    size_t offset;                  /* into struct config; of single sections */
};

/* [server], [database], [auth]; ended by an entry without a name. */
extern const struct section sections[];

extern const struct setting provider_settings[];
extern const struct setting function_settings[];

extern const char *const auth_modes[]; /* in the order of enum auth_mode, without webhooks; NULL-terminated */
extern const char *const webhook_schemes[]; /* NULL-terminated */

/* The setting of a key, NULL when the table has none. */
const struct setting *setting_find(const struct setting *settings, const char *key);

#endif
