/*
 * A plugin's file before it is opened: whether the loader can take it without harm, which ABI its descriptor
 * was built for, and what it imports.
 *
 * The dynamic loader trusts a file: one that is cut short ends the process with SIGBUS, and a plugin of another
 * ABI has run its constructors before anybody could have asked. So both are looked at in the file.
 */
#ifndef PLUGIN_OBJECT_H
#define PLUGIN_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object {
    bool has_descriptor;      /* it exports edge_plugin, and its first bytes are in the file */
    uint32_t descriptor_size; /* as the descriptor says */
    uint16_t abi_major, abi_minor;
    uint64_t symbol_size; /* as the linker says: what there is to be read */
    char banned[32];      /* a function that no plugin may import, "" when it imports none */
    bool seals;           /* imports what needs EDGE_ENCRYPTION_KEY (crypto.h) */
    bool queries;         /* imports what needs the database, or calls others, which may */
    bool keeps_mapped;    /* may leave functions behind that are called when a thread or the process ends */
};

/* 0 and *object, or a negative errno and in reason what is wrong with the file ("is cut short: ..."). */
int object_read(const char *path, struct object *object, char *reason, size_t size);

#endif
