/*
 * A private database and host for a run of tests.
 */
#ifndef TEST_RUN_H
#define TEST_RUN_H

#include "cli/dev_database.h"
#include "cli/environment_file.h"

#include <stdbool.h>
#include <sys/types.h>

struct config;

struct test_run {
    const char *path; /* of functions.toml */
    struct config *config;
    struct dev_database database; /* in .edge/test */
    bool has_database;
    struct environment_file environment;
    pid_t host;
    char origin[256], control[108], log[4096];
};

/*
 * Starts Postgres with a fresh copy of the migrated database. False when it is not installed or does not come
 * up, which is said.
 */
bool test_database_start(struct test_run *run);

/* Starts the host at a free port, with secrets and an issuer of its own. False after saying why not. */
bool test_host_start(struct test_run *run);

void test_run_stop(struct test_run *run);

#endif
