/*
 * edge dev --gdb: gdb on the one worker, with a breakpoint on a function's handler.
 *
 * The breakpoint is on a name and a file, so it holds for every build of the function that is loaded later.
 */
#include "cli/command.h"
#include "cli/dev.h"
#include "cli/process.h"
#include "config/config.h"
#include "plugin/plugin.h"

#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The host's child: its only worker. 0: there is none. */
static pid_t worker_of_host(pid_t host)
{
    pid_t worker = 0;
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        char path[300], line[512] = "";
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = fopen(path, "re");
        const char *behind = file != NULL && fgets(line, sizeof line, file) != NULL ? strrchr(line, ')') : NULL;
        int parent = 0; /* "pid (name) state parent …": the name may have anything in it (proc(5)) */
        if (behind != NULL && sscanf(behind + 1, " %*c %d", &parent) == 1 && parent == (int)host)
            worker = (pid_t)atoi(entry->d_name);
        if (file != NULL)
            fclose(file);
    }
    if (processes != NULL)
        closedir(processes);
    return worker;
}

/* "computePulse.c:compute_pulse", as addr2line (binutils) reads it from the plugin. */
static bool name_address(const char *file, unsigned long offset, char *place, size_t size)
{
    char command[PATH_MAX + 64], function[256] = "", line[PATH_MAX] = "";
    if (strpbrk(file, "'\\\n") != NULL)
        return false;
    snprintf(command, sizeof command, "addr2line -fse '%s' 0x%lx", file, offset);
    FILE *names = popen(command, "r");
    bool read = names != NULL && fgets(function, sizeof function, names) != NULL &&
                fgets(line, sizeof line, names) != NULL;
    if (names != NULL)
        pclose(names);
    function[strcspn(function, "\n")] = line[strcspn(line, ":\n")] = '\0';
    snprintf(place, size, "%s:%s", line, function);
    return read && line[0] != '?' && function[0] != '?';
}

static bool find_handler(const struct config *config, const char *name, char *place, size_t size)
{
    const struct function_config *function = config_function(config, name);
    if (function == NULL)
        return failure("\"%s\" has no function \"%s\"", config->path, name), false;

    char path[PATH_MAX];
    struct load_error error;
    struct plugin *plugin;
    snprintf(path, sizeof path, "%s/%s.so", config->server.plugins, function->plugin);
    if (plugin_open(&(const struct plugin_source){ function->plugin, path, path }, &plugin, &error) < 0)
        return failure("%s", error.text), false;
    const edge_function *descriptor = &plugin->descriptor;
    uintptr_t address =
        descriptor->session != NULL ? (uintptr_t)descriptor->session : (uintptr_t)descriptor->handle;
    Dl_info info = { 0 };
    bool found = dladdr((const void *)address, &info) != 0 &&
                 name_address(path, (unsigned long)(address - (uintptr_t)info.dli_fbase), place, size);
    plugin_release(plugin);
    if (!found)
        failure("\"%s\" says nothing of its sources. Build it with -g", path);
    return found;
}

bool dev_debugger_start(struct dev *dev)
{
    char place[PATH_MAX + 300], stop[PATH_MAX + 320], pid[16];
    pid_t worker = worker_of_host(dev->host.pid);
    if (!find_handler(dev->config, dev->debugged, place, sizeof place))
        return false;
    snprintf(stop, sizeof stop, "break %s", place);
    snprintf(pid, sizeof pid, "%d", (int)worker);
    /* SIGUSR2 asks a worker where it stands; SIGPIPE is nobody's end. */
    char *const arguments[] = { "/usr/bin/env", "gdb", "-q", "-p", pid, "-ex", "set pagination off", "-ex",
        "set breakpoint pending on", "-ex", "handle SIGUSR1 SIGUSR2 SIGPIPE nostop noprint pass", "-ex", stop,
        "-ex", "continue", NULL };
    const struct process_start start = { arguments, .death_signal = SIGTERM, .output = -1, .error = -1,
        .keep = -1 };
    pid_t debugger = process_start(&start);
    dev->debugger = debugger > 0 ? debugger : 0;
    return debugger > 0 || failure("cannot start gdb: %s", strerror(-debugger)) == STATUS_DONE;
}
