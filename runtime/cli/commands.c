/*
 * The commands of the `edge` program, in the order in which somebody meets them.
 */
#include "cli/command.h"

#include <stddef.h>

const struct command *const commands[] = {
    &new_command,
    &dev_command,
    &serve_command,
    &migrate_command,
    &test_command,
    &invoke_command,
    &token_command,
    &logs_command,
    &functions_command,
    &reload_command,
    &rollback_command,
    &promote_command,
    &upgrade_command,
    &jobs_command,
    &sandbox_command,
    &routes_command,
    &env_command,
    &docs_command,
    &types_command,
    &config_command,
    &doctor_command,
    &completion_command,
    NULL,
};
