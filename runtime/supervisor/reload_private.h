/*
 * A reload's own state; for reload*.c only.
 */
#ifndef SUPERVISOR_RELOAD_PRIVATE_H
#define SUPERVISOR_RELOAD_PRIVATE_H

#include "supervisor/deployment.h"
#include "supervisor/gate.h"
#include "supervisor/reload.h"
#include "supervisor/workers.h"

#include <ev.h>

enum reload_state {
    RELOAD_IDLE,
    RELOAD_GATE,
    RELOAD_PREPARE,
    RELOAD_REPLACE,
};

/* What one function's record is to become. */
struct change {
    int index; /* in the registry */
    const struct function_config *function;
    struct build build; /* hash "": the gate has nothing to look at */
    char path[STORE_PATH_BYTES];
    struct signature seen;
    bool gated; /* the gate has to say yes */
    bool accepted;
    struct function_record after;
};

/* Requests that wait for a transaction to end, or for one to begin. */
struct waiter {
    struct waiter *next;
    struct reload_request request;
    char function[64];
};

struct reload {
    struct supervisor *supervisor;
    enum reload_state state;
    struct reload_request request; /* of this transaction */
    char function[64];
    struct waiter *queue; /* of the next ones */

    struct config *config; /* another configuration; NULL: it stays */
    char config_hash[STORE_HASH_BYTES], config_file[STORE_PATH_BYTES];
    struct listener listener; /* another address; fd -1: it stays */
    struct change *changes;
    size_t change_count;
    struct candidate *candidates;
    struct gate gate;
    uint64_t number;
    char manifest[STORE_PATH_BYTES];
    ev_timer limit;
    json_t *report;
    int64_t begun_us, gated_us;
};

/* The configuration that the transaction ends with. */
const struct config *reload_config(const struct reload *reload);

/* reload_look.c: finds what has changed. False: nothing has. */
bool reload_look(struct reload *reload);

/* reload.c: what has been asked for meanwhile. */
void reload_begin_next(struct reload *reload);

/* reload_workers.c: has the workers load the revision, or others started with it; they end the transaction. */
void reload_prepare(struct reload *reload);
void reload_replace(struct reload *reload);

/*
 * reload_end.c. The book-keeping of what is served from now on; the end of a transaction, whatever came of it;
 * its end without anything of it being served, which is not tried again by itself.
 */
void reload_take_over(struct reload *reload);
void reload_finish(struct reload *reload);
void reload_give_up(struct reload *reload, const char *reason);
void reload_clear_up(struct reload *reload);

/* reload_report.c: what is said of the outcome, in the log and to who has asked. */
void report_refusal(struct reload *reload, const char *function, const char *generation, const char *reason);
void report_configuration(struct reload *reload, const char *state, const char *reason);
void report_commit(struct reload *reload);

#endif
