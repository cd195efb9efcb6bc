/*
 * Where the embedded Postgres lives: .edge/postgres, whoever runs `edge dev`.
 *
 * Postgres refuses root. When root runs us, a system user runs it, and that user may not be able to reach the
 * project (/root is closed to others): then .edge/postgres is a link to /var/lib/pulse-edge-dev/<hash of the
 * project's path>, which belongs to that user. Otherwise it is a directory of our own. Either way it holds
 *
 *   data/          the cluster
 *   run/           its socket; 0700, and the only way in, so logins need no password
 *   postgres.log   what it says
 *   lock           held while an `edge dev` runs: a copied project may share the directory
 *
 * A Unix socket's path is bounded (107 bytes): a project that lies too deep gets its socket in a directory of
 * its own under $XDG_RUNTIME_DIR or /tmp.
 */
#ifndef POSTGRES_HOME_H
#define POSTGRES_HOME_H

#include <limits.h>
#include <stdbool.h>

struct postgres_home {
    char base[PATH_MAX]; /* .edge/postgres with links resolved */
    char run[PATH_MAX];
    const char *user; /* who runs Postgres; NULL: we do */
    int lock;         /* descriptor of the lock */
    char user_name[64];
};

/*
 * Finds or makes the directories for the project whose .edge directory is given (and exists). False when that
 * cannot be, and why on standard error.
 */
bool postgres_home_open(struct postgres_home *home, const char *edge_directory);

/* Path of a file in the base directory, in a buffer of PATH_MAX bytes. */
const char *postgres_home_path(const struct postgres_home *home, const char *name, char buffer[PATH_MAX]);

#endif
