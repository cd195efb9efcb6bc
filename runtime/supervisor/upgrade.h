/*
 * Replacing the host's own binary without losing a connection (`edge upgrade`).
 *
 * A rehearsal comes first: the new binary checks the configuration and every plugin in a process of its own
 * (`edge serve --check`). Then this process executes it in place: the process id stays, so whoever watches it
 * (systemd, a container) notices nothing. It inherits the listening socket and the workers, which serve on
 * until the new ones are ready, and then leave. If the new supervisor cannot start workers, it executes the old
 * binary again, which it was handed as an open file.
 */
#ifndef SUPERVISOR_UPGRADE_H
#define SUPERVISOR_UPGRADE_H

#include <stdbool.h>

struct supervisor;

/* Begins with the rehearsal. NULL, or why it cannot. binary NULL: the file that this process was started from.
 */
const char *upgrade_begin(struct supervisor *supervisor, const char *binary);

/* The rehearsal has ended, perhaps. */
void upgrade_reap(struct supervisor *supervisor);

/* At the start: takes over what the process was before. False: it was nothing. */
bool upgrade_take_over(struct supervisor *supervisor);

/* The workers of before: they leave, as others are ready; whether any is left; one has ended, perhaps. */
void upgrade_dismiss(struct supervisor *supervisor);
bool upgrade_leaving(const struct supervisor *supervisor);
void upgrade_kill(const struct supervisor *supervisor);

/* No worker of the new binary can start: back to the one before. Returns when that is not possible. */
void upgrade_return(struct supervisor *supervisor);

void upgrade_close(struct supervisor *supervisor);

#endif
