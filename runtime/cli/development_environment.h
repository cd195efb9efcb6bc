/*
 * What `edge dev` keeps in .edge/dev beside functions.toml, and the environment it gives to its host.
 *
 *   environment   every variable it sets, for other commands (edge token) and for people's shells
 *   jwt_key.pem   the development issuer's key
 */
#ifndef DEVELOPMENT_ENVIRONMENT_H
#define DEVELOPMENT_ENVIRONMENT_H

#include <stdbool.h>

struct config;
struct environment_file;

/* Path of a file below .edge, which lies beside a configuration file, or ("") of .edge itself; to be freed. */
char *development_path(const char *config_path, const char *name);

/*
 * Puts the environment of the development host beside config_path into this process, over what is set. False
 * when there is none.
 */
bool development_environment_load(const char *config_path);

/*
 * The configuration with a development issuer: its own, or the one that `edge dev` has left beside the file.
 * False after saying that there is none.
 */
bool development_config_open(const char *config_path, struct config **config);

/*
 * Fills in what a development host runs with: the issuer's key, every provider's address in the sandbox at
 * origin with a key for it, and secrets of our own that are made once and then kept. Secrets that the
 * environment has already are left alone; providers are not: nothing leaves this machine by accident.
 */
void development_environment_fill(
    struct environment_file *file, const struct config *config, const char *origin);

#endif
