/*
 * Crash containment; see crash.h. Everything that a handler calls is async-signal-safe, or reads memory that
 * the worker wrote before.
 */
#include "crash.h"

#include "allocator.h"
#include "backtrace.h"
#include "base/asan.h"
#include "http/last_words.h"
#include "plugin/descriptors.h"
#include "state.h"
#include "supervisor/slots.h"

#include <context.h>
#include <log.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    ALTERNATE_STACK = 64 * 1024
};

static struct {
    struct worker *worker;
    void (*retire)(struct worker *worker);
    pid_t thread;
    volatile sig_atomic_t faults;
    volatile sig_atomic_t hang; /* the fault is the watchdog's signal */
} crash;

static struct failure crashed = {
    .status = 500,
    .code = "function_crashed",
    .said = { .message = "The function crashed" },
};
static struct failure cpu_limit = {
    .status = 500,
    .code = "cpu_limit",
    .said = { .message = "The function ran longer than its limit without waiting" },
};

static void copy_text(char *out, size_t size, const char *text)
{
    size_t i = 0;
    for (; text != NULL && text[i] != '\0' && i + 1 < size; i++)
        out[i] = text[i];
    out[i] = '\0';
}

static void note(int signal, const siginfo_t *info, const ucontext_t *at, const edge_ctx *ctx)
{
    struct slot_crash *record = &crash.worker->boot->slot->crash;
    record->function_index = ctx != NULL ? ctx->function_index : -1;
    record->address = (uint64_t)(uintptr_t)info->si_addr;
    record->stack_overflow = signal == SIGSEGV && fiber_guards(info->si_addr);
    copy_text(record->function, sizeof record->function, ctx != NULL ? ctx->name : "");
    copy_text(record->generation, sizeof record->generation, ctx != NULL ? ctx->generation : "");
    copy_text(record->request_id, sizeof record->request_id, ctx != NULL ? ctx->request_id : "");
    char *low = NULL, *high = NULL;
    if (fiber_current() != NULL)
        fiber_stack(fiber_current(), &low, &high);
    backtrace_take(record, at, low, high);
    atomic_store(&record->signal, signal);
}

/* Nothing may run any more. The process then ends by the same signal, so that whoever waits for it sees why. */
__attribute__((noreturn)) static void give_up(int signal, const edge_ctx *ctx)
{
    if (crash.faults <= 2)
        last_words(&crash.worker->server, ctx);
    struct sigaction fallback = { .sa_handler = SIG_DFL };
    sigaction(signal, &fallback, NULL);
    raise(signal);
    _exit(128 + signal);
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    bool ours = gettid() == crash.thread;
    const struct fiber *fiber = ours ? fiber_current() : NULL;
    const edge_ctx *ctx = fiber != NULL ? fiber_context(fiber) : NULL;
    crash.faults++;
    if (crash.faults == 1)
        note(signal, info, context, ctx);
    if (crash.faults > 1 || fiber == NULL || allocator_busy())
        give_up(signal, ctx);
    crash.hang = 0;
    fiber_break_off();
}

/* The watchdog asks where this worker stands, and ends it soon if it cannot be torn loose. */
static void on_hang(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    if (crash.faults > 0 || gettid() != crash.thread)
        return;
    const struct fiber *fiber = fiber_current();
    info->si_addr = NULL;
    note(SIGUSR2, info, context, fiber != NULL ? fiber_context(fiber) : NULL);
    if (fiber == NULL || allocator_busy())
        return;
    crash.faults++;
    crash.hang = 1;
    fiber_break_off();
}

/* On the loop's stack again. */
static void on_broken_off(edge_ctx *ctx)
{
    descriptors_forget(ctx); /* it may have been about to close them, or hold a stream's lock */
    ctx->cut_short = true;
    if (ctx->failure == NULL)
        ctx->failure = crash.hang ? &cpu_limit : &crashed;
    crash.retire(crash.worker);
}

void crash_install(struct worker *worker, void (*retire)(struct worker *worker))
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    crash.worker = worker;
    crash.retire = retire;
    crash.thread = gettid();
    memset(&worker->boot->slot->crash, 0, sizeof worker->boot->slot->crash);
    last_words_prepare();
    fiber_on_break_off(on_broken_off);

    static char stack[ALTERNATE_STACK] __attribute__((aligned(16)));
    const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    if (sigaltstack(&alternate, NULL) < 0) {
        log_event(EDGE_LOG_WARN, "crashes_not_contained");
        return;
    }
    struct sigaction hang = { .sa_sigaction = on_hang,
        .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART };
    sigaction(SIGUSR2, &hang, NULL);
    if (WITH_ASAN)
        return; /* its reports are wanted */
    struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigaction(faults[i], &fault, NULL);
}
