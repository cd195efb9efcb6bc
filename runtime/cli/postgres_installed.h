/*
 * Which PostgreSQL is installed on this machine.
 */
#ifndef POSTGRES_INSTALLED_H
#define POSTGRES_INSTALLED_H

#include <limits.h>

enum {
    POSTGRES_OLDEST = 15
};

/*
 * The server's program of a major version, or of the newest one from POSTGRES_OLDEST on when version is 0; its
 * tools lie beside it. EDGE_POSTGRES_BIN names their directory; else it is Debian's, /usr/lib/postgresql/N/bin.
 * Returns its version, 0: none is installed.
 */
int postgres_installed(int version, char program[PATH_MAX]);

#endif
