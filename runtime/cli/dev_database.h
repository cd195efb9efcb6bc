/*
 * The database of `edge dev`: embedded, or the one that DATABASE_URL names; migrated and filled.
 */
#ifndef DEV_DATABASE_H
#define DEV_DATABASE_H

#include "cli/postgres.h"

#include <stdbool.h>

struct config;
struct environment_file;

struct dev_database {
    bool embedded;
    struct postgres postgres; /* of an embedded one */
};

/*
 * Starts the database, applies what is new in the migrations, loads the seed, and puts its address into file.
 * The embedded one is migrated and seeded when the files have changed since; one of your own is always migrated
 * (it may have been restored since) and seeded only if seed says so. False when that failed, which is said.
 */
bool dev_database_start(
    struct dev_database *database, const struct config *config, struct environment_file *file, bool seed);

void dev_database_stop(struct dev_database *database);

#endif
