/*
 * Descriptors that plugins open. In a plugin's imports, the libc calls that open, copy and close descriptors
 * and streams are the host's (descriptors_calls.c), which does the same and remembers who has opened what. A
 * call that a plugin does not make costs nothing, and nobody but plugins gets these.
 *
 * A descriptor belongs to the invocation that opened it and is to be closed by its end: after its background
 * work and its defers. One that is still open is closed by the host and logged as descriptor_left_open, a
 * defect of that function. What init opened is the plugin's for as long as it is loaded.
 *
 * A descriptor that is closed twice may be somebody else's the second time: a client's socket, the database's.
 * That is refused (EBADF) and logged as descriptor_closed_twice.
 */
#ifndef PLUGIN_DESCRIPTORS_H
#define PLUGIN_DESCRIPTORS_H

#include <edge/base.h>

#include <stdbool.h>

/* What a descriptor is closed by. */
enum descriptor_kind {
    DESCRIPTOR_PLAIN,
    DESCRIPTOR_STREAM,    /* FILE of fopen, fdopen, tmpfile */
    DESCRIPTOR_DIRECTORY, /* DIR of opendir, fdopendir */
};

/* The host's own function for a libc call's name; NULL: it has none. */
void *descriptors_call(const char *name);

/* The plugin code that runs has opened fd, or made a stream of it; errno stays. Negative: it has not. */
void descriptors_opened(int fd, enum descriptor_kind kind, void *stream);

/* It is about to close fd. False, and errno EBADF: it has done so before, and what fd is now is not its own. */
bool descriptors_closing(int fd);

/* Closes and logs what an invocation has left open; it is about to be released. */
void descriptors_end(edge_ctx *ctx);

/* Lets go of them without a look: the worker is about to end. */
void descriptors_forget(edge_ctx *ctx);

#endif
