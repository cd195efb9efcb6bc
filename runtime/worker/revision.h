/*
 * What a worker serves from one instant to the next: a configuration and a generation of each of its functions.
 *
 * The supervisor writes a revision down as a manifest, a JSON file in its private directory:
 *
 *   { "revision": 7, "config": "/tmp/…/3f….toml",
 *     "functions": { "computePulse": { "file": "/tmp/…/9a…/computePulse.so", "canary": "/tmp/…" } } }
 *
 * A worker loads it beside the one that it serves, says so, and changes over in one step when the supervisor
 * has raised the number in the registry: the next request that comes in anywhere is served by the new one.
 */
#ifndef WORKER_REVISION_H
#define WORKER_REVISION_H

#include "plugin/plugin.h"

#include <stddef.h>
#include <stdint.h>

struct generation;
struct routing;
struct worker;

struct revision {
    uint64_t number;
    char *config_file; /* the manifest's */
    struct routing *routing;
    struct generation **generations; /* by index in the configuration; NULL: not loaded */
    size_t failed;                   /* enabled functions without one */
};

/* Loads the first one; a function that cannot be is logged and answers 503. 0 or a negative errno. */
int revision_start(struct worker *worker);

/* Loads another beside the one that is served: all of it, or none and *error. */
int revision_prepare(struct worker *worker, const char *manifest, struct load_error *error);

/* Gives up what was prepared. */
void revision_abandon(struct worker *worker);

/* Changes over to what was prepared if its time has come; before anything of the revision is looked at. */
void revision_follow(struct worker *worker);

/* What serves the function of a generation now: itself, or what has taken its place; NULL: nothing does. */
struct generation *revision_current(struct worker *worker, struct generation *generation);

/* What serves a function now; NULL: nothing does. */
struct generation *revision_find(struct worker *worker, const char *name);

void revision_stop(struct worker *worker);

#endif
