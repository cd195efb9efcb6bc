/*
 * edge migrate: brings a database's schema up to date.
 */
#include "cli/command.h"
#include "cli/development_environment.h"
#include "cli/migrate.h"
#include "config/config.h"

#include <stddef.h>

/* The configuration with a database: its own, or that of the `edge dev` beside the file. */
static bool database_config_open(const char *path, struct config **config)
{
    if (!config_open(path, config))
        return false;
    if ((*config)->database.migrate_url != NULL)
        return true;

    config_free(*config);
    *config = NULL;
    if (development_environment_load(path))
        return config_open(path, config);
    failure("no database is configured in \"%s\". Set DATABASE_MIGRATE_URL, or DATABASE_URL, to one whose user "
            "owns the "
            "schema",
        path);
    return false;
}

static int run(int argc, char **argv)
{
    const char *path = "functions.toml";
    struct migrate_options migrate = { 0 };
    bool seed = false;
    const struct cli_option options[] = {
        { "config", "FILE", "the configuration (functions.toml)", .text = &path },
        { "status", NULL, "print what is applied and what is not; change nothing", .flag = &migrate.status },
        { "dry-run", NULL, "print what would be applied; change nothing", .flag = &migrate.dry_run },
        { "seed", NULL, "load the demonstration data afterwards", .flag = &seed },
        { 0 },
    };
    int status = options_read(&migrate_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    if (seed && (migrate.status || migrate.dry_run))
        return usage_error(
            &migrate_command, "--seed changes the database, and the other option changes nothing");

    struct config *config;
    if (!database_config_open(path, &config))
        return STATUS_FAILED;
    const struct database_config *database = &config->database;
    int result = migrate_run(database->migrate_url, database->runtimes, database->migrations, &migrate);
    if (result == 0 && seed)
        result = seed_run(database->migrate_url, database->seed);
    config_free(config);
    return result == 0 ? STATUS_DONE : STATUS_FAILED;
}

const struct command migrate_command = {
    .name = "migrate",
    .summary = "Apply the migrations that a database does not have yet",
    .details =
        "It connects to [database] migrate_url (DATABASE_MIGRATE_URL) as the schema's owner, and to url when\n"
        "that is not set. Several at once are fine: one works, the others wait for a lock of its session,\n"
        "so the address must not be that of a pooler in transaction mode.\n\n"
        "A project's own are sql/migrations/1000_plants.sql, 1001_… and so on, applied after those that the\n"
        "runtime was installed with; each is one transaction, and is not edited once it has been applied.\n",
    .examples = "  edge migrate --status\n"
                "  DATABASE_MIGRATE_URL=postgresql://owner@db/pulse edge migrate\n"
                "  edge migrate --seed\n",
    .run = run,
};
