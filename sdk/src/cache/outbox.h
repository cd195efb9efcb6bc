/*
 * Deletes that the others have yet to be told of. What does not fit becomes "everything".
 */
#ifndef CACHE_OUTBOX_H
#define CACHE_OUTBOX_H

#include <stdbool.h>

void outbox_clear(void);
bool outbox_is_empty(void);

/* Keeps a payload; one that waits already is not kept twice. */
void outbox_add(const char *payload);

/*
 * All that wait, as the text of a JSON array of strings, to be freed; NULL when memory is short. They go on
 * waiting until outbox_sent says that they have arrived.
 */
char *outbox_text(void);
void outbox_sent(void);

#endif
