/*
 * A plugin: one build of one function, loaded into this process. Generations bind it to a configuration; it is
 * started once (init), however many of them follow one another, and ended (exit) when the last has let go.
 */
#ifndef PLUGIN_PLUGIN_H
#define PLUGIN_PLUGIN_H

#include <edge/function.h>

#include <stdbool.h>

struct load_error {
    char text[1024]; /* names the file and says what to do */
};

/* Where a build comes from. */
struct plugin_source {
    const char *name;  /* of the plugin: its file without ".so" */
    const char *file;  /* what is opened: a private copy that nobody writes to */
    const char *shown; /* the file that messages speak of */
};

struct plugin {
    struct plugin *next;      /* of all that are open */
    edge_function descriptor; /* what an older plugin does not have yet is zero */
    void *state;              /* from init */
    void *library;            /* of dlopen */
    char *file;               /* that was opened; two loads of it are one build */
    char id[44];              /* ELF build id, hexadecimal */
    unsigned users;
    bool started;
    bool seals, queries; /* what it may need (object.h) */
};

/*
 * Opens a build: file, ABI and descriptor are checked, nothing but constructors has run. 0 and *plugin, used
 * once, or a negative errno and *error.
 */
int plugin_open(const struct plugin_source *source, struct plugin **plugin, struct load_error *error);

/* Runs init; the variables that the descriptor requires are there. 0, or a negative errno and *error. */
int plugin_start(struct plugin *plugin, const struct plugin_source *source, struct load_error *error);

void plugin_use(struct plugin *plugin);

/* The last one ends and unmaps it, unless it has to stay mapped (object.h). */
void plugin_release(struct plugin *plugin);

/* Whether code at an address is an open plugin's. Async-signal-safe but for plugins being opened and closed. */
bool plugin_contains(const void *address);

#endif
