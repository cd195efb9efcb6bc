/*
 * crash_report: what a worker's signal handler noted, for the log.
 *
 * Addresses become names and lines by addr2line (binutils) when it is there; a child does that, so that the
 * supervisor waits for nobody. Without it the log has files and offsets.
 */
#include <log.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/breaker.h"
#include "supervisor/store.h"
#include "supervisor/workers.h"

enum {
    TEXT_MAX = 8192,
    NAME_SECONDS = 10
};

/* "computePulse.so computePulse.c:42 reads" of one frame, or its file and offset. */
static int name_frame(char *out, size_t size, const char *object, uint64_t offset)
{
    char command[512], function[128] = "", line[256] = "", base[256];
    store_shown_name(object, base, sizeof base);
    if (strpbrk(object, "'\\\n") == NULL) {
        snprintf(command, sizeof command, "addr2line -Cfse '%s' 0x%llx 2>/dev/null", object,
            (unsigned long long)offset);
        FILE *names = popen(command, "r");
        if (names != NULL) {
            if (fgets(function, sizeof function, names) == NULL || fgets(line, sizeof line, names) == NULL)
                function[0] = '\0';
            pclose(names);
        }
    }
    function[strcspn(function, "\n")] = line[strcspn(line, "\n (")] = '\0';
    if (function[0] == '\0' || function[0] == '?')
        return snprintf(out, size, "%s+0x%llx\n", base, (unsigned long long)offset);
    return snprintf(out, size, "%s %s %s\n", base, function, line);
}

static void name_frames(const struct slot_crash *crash, char text[TEXT_MAX])
{
    size_t length = 0;
    text[0] = '\0';
    for (int i = 0; i < crash->frame_count && i < SLOT_FRAMES_MAX; i++) {
        int added =
            name_frame(text + length, TEXT_MAX - length, crash->frames[i].object, crash->frames[i].offset);
        if (added < 0 || (size_t)added >= TEXT_MAX - length)
            break;
        length += (size_t)added;
    }
}

static void log_crash(const struct slot_crash *crash, int signal, const char *backtrace)
{
    bool hang = signal == SIGUSR2;
    char address[24];
    snprintf(address, sizeof address, "0x%llx", (unsigned long long)crash->address);
    log_event(EDGE_LOG_ERROR, hang ? "function_hung" : "function_crashed",
        { "function", edge_text(crash->function) }, { "generation", edge_text(crash->generation) },
        { "requestId", edge_text(crash->request_id) }, { "signal", edge_text(sigabbrev_np(signal)) },
        { "address", hang ? edge_null() : edge_text(address) },
        { "stackOverflow", crash->stack_overflow ? edge_bool(true) : edge_null() },
        { "backtrace", edge_text(backtrace) });
    log_flush();
}

void crash_report(struct process *process)
{
    struct slot_crash *crash = &process->slot->crash;
    int signal = atomic_exchange(&crash->signal, 0);
    if (signal == 0)
        return;
    counter_add(&slot_function(process->slot, crash->function_index)->crashes, 1);
    breaker_count(process->supervisor, crash->function_index, crash->generation);

    struct slot_crash copy = *crash; /* the slot may have another worker before the names are found */
    log_flush();
    pid_t child = fork();
    if (child > 0) {
        waitpid(child, NULL, 0); /* it ends at once: the one that does the work is its child, and then init's */
        return;
    }
    char text[TEXT_MAX];
    if (child == 0) {
        if (fork() > 0)
            _exit(0);
        struct sigaction standard = { .sa_handler = SIG_DFL };
        sigaction(SIGCHLD, &standard, NULL);
        alarm(NAME_SECONDS);
        name_frames(&copy, text);
        log_crash(&copy, signal, text);
        _exit(0);
    }
    log_crash(&copy, signal, "");
}
