/*
 * The functions of a host, in memory that the supervisor writes and all workers read: which number their
 * counters have, what serves them, what is wrong with them, and whether they are quarantined.
 *
 * A function keeps its number for as long as the supervisor lives, whatever functions.toml looks like, so
 * counters go on over every reload.
 */
#ifndef SUPERVISOR_REGISTRY_H
#define SUPERVISOR_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define REGISTRY_MAX 512        /* functions with a number of their own */
#define REGISTRY_ID_BYTES 44    /* a build id in hexadecimal */
#define REGISTRY_PREVIOUS_MAX 2 /* builds that a function can be rolled back to */
#define REGISTRY_PROBLEM_BYTES 512
#define REGISTRY_STALE_BYTES 4096

enum function_state {
    FUNCTION_ABSENT,     /* not in functions.toml */
    FUNCTION_OFF,        /* enabled = false, or a stand-in on a host without them */
    FUNCTION_NOT_LOADED, /* its first build was refused */
    FUNCTION_SERVING,
    FUNCTION_QUARANTINED, /* crashed again and again, with no earlier build to go back to */
};

struct function_status {
    enum function_state state;
    char serving[REGISTRY_ID_BYTES], canary[REGISTRY_ID_BYTES]; /* "": none */
    char previous[REGISTRY_PREVIOUS_MAX][REGISTRY_ID_BYTES];    /* newest first */
    int64_t since_us;                                           /* Unix time at which serving began to */
    char problem[REGISTRY_PROBLEM_BYTES]; /* why the last build was refused or withdrawn; "": it was not */
    int64_t problem_at_us;
};

/* Whether a development host says, or refuses, that a function is older than its source; see registry_stale. */
enum staleness {
    STALENESS_UNKNOWN, /* nobody builds beside this host */
    STALENESS_SHOWN,
    STALENESS_REFUSED,
};

struct registry_entry {
    char name[64];            /* written once, before anybody is told the number */
    _Atomic uint32_t version; /* odd while the supervisor writes status */
    struct function_status status;
    _Atomic bool refused;                  /* status has a problem: the newest build is not what is served */
    _Atomic bool stale;                    /* the newest source could not be built */
    _Atomic uint32_t stale_version;        /* odd while the supervisor writes stale_text */
    char stale_text[REGISTRY_STALE_BYTES]; /* what the compiler said */
    /* Of a quarantine, on the monotonic clock. */
    _Atomic int64_t blocked_until_us; /* 0: there is none */
    _Atomic int64_t probed_at_us;     /* when a worker last let one caller through */
};

struct registry {
    _Atomic uint64_t revision; /* workers that have prepared this one, or are about to, serve it from now on */
    _Atomic int count;
    enum staleness staleness; /* written before there are workers */
    struct registry_entry entries[REGISTRY_MAX];
};

/* In shared memory; NULL when memory is short. */
struct registry *registry_create(void);
void registry_free(struct registry *registry);

/* The number of a function; -1 when there is none. */
int registry_find(const struct registry *registry, const char *name);

/* The same, given one if it has none; -1 when all are given away. The supervisor's. */
int registry_add(struct registry *registry, const char *name);

/* The supervisor's change of a status, and anybody's whole copy of it. */
void registry_write(struct registry *registry, int index, const struct function_status *status);
void registry_read(const struct registry *registry, int index, struct function_status *status);

/*
 * On a development host: that the newest source of a function could not be built, with the compiler's text, or
 * NULL when it could. The supervisor's.
 */
void registry_set_stale(struct registry *registry, int index, const char *text);

/* Whether what is served is older than the source: it was not built, or its build was refused. */
bool registry_is_stale(const struct registry *registry, int index);

/* Why, as the compiler or the gate said it; "" when it is not. */
void registry_stale_text(const struct registry *registry, int index, char text[REGISTRY_STALE_BYTES]);

/* "serving", "not_loaded" …, as answers and commands say it. */
const char *function_state_name(enum function_state state);

/*
 * Whether a caller may be let in. While a function is quarantined nobody is; when the time is over one caller a
 * second is, as a probe (*probe). Else the seconds to wait, at least 1.
 */
int registry_admit(struct registry *registry, int index, int64_t now_us, bool *probe);

/* Whether it is quarantined; for calls that are no probes. */
bool registry_blocks(const struct registry *registry, int index);

/* A probe has ended without a crash: everybody is let in again. */
void registry_recovered(struct registry *registry, int index);

#endif
