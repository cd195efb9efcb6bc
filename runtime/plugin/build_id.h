/*
 * ELF build ids (.note.gnu.build-id): what names a generation.
 */
#ifndef PLUGIN_BUILD_ID_H
#define PLUGIN_BUILD_ID_H

#include <stddef.h>

/* Build id of the loaded object that address lies in, as hexadecimal text; "unknown" when it has none. */
void build_id_of(const void *address, char *out, size_t size);

#endif
