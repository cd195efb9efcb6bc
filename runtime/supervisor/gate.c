/*
 * gate: the supervisor's side. What its child does is in gate_child.c.
 */
#include "supervisor/gate.h"

#include "supervisor/gate_child.h"

#include <log.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void start_child(struct gate *gate);

static void stop_watching(struct gate *gate)
{
    ev_io_stop(gate->loop, &gate->answers);
    ev_timer_stop(gate->loop, &gate->limit);
    if (gate->pipe >= 0)
        close(gate->pipe);
    gate->pipe = -1;
}

static void allow_time(struct gate *gate)
{
    ev_timer_stop(gate->loop, &gate->limit);
    ev_timer_set(&gate->limit, gate->seconds, 0);
    ev_timer_start(gate->loop, &gate->limit);
}

static void take(struct gate *gate, const struct gate_answer *answer)
{
    if (answer->index >= gate->count)
        return;
    struct candidate *candidate = &gate->candidates[answer->index];
    gate->at = answer->index;
    snprintf(gate->step, sizeof gate->step, "%.63s", answer->step);
    if (answer->kind == GATE_STEP) {
        allow_time(gate);
        return;
    }
    candidate->decided = true;
    candidate->accepted = answer->kind == GATE_ACCEPTED;
    snprintf(candidate->id, sizeof candidate->id, "%.43s", answer->id);
    snprintf(candidate->reason, sizeof candidate->reason, "%.511s", answer->reason);
}

static void on_answer(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop, (void)events;
    struct gate *gate = watcher->data;
    struct gate_answer answer;
    for (;;) {
        ssize_t length = read(watcher->fd, &answer, sizeof answer); /* whole: shorter than PIPE_BUF */
        if (length == (ssize_t)sizeof answer)
            take(gate, &answer);
        else if (length < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        else
            break; /* it is about to end; gate_reap hears how */
    }
    ev_io_stop(gate->loop, watcher);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    struct gate *gate = timer->data;
    gate->timed_out = true;
    kill(gate->child, SIGKILL);
}

static void say_how(const struct gate *gate, int status, struct candidate *candidate)
{
    const char *step = gate->step[0] != '\0' ? gate->step : "being loaded";
    if (gate->timed_out)
        snprintf(candidate->reason, sizeof candidate->reason, "%s did not come back from %s within %.3g s",
            candidate->shown, step, gate->seconds);
    else if (WIFSIGNALED(status))
        snprintf(candidate->reason, sizeof candidate->reason, "%s crashed with SIG%s in %s", candidate->shown,
            sigabbrev_np(WTERMSIG(status)), step);
    else
        snprintf(candidate->reason, sizeof candidate->reason, "%s ended the process with status %d in %s",
            candidate->shown, WEXITSTATUS(status), step);
}

/* True when one was undecided and has been charged with the child's end. */
static bool charge(struct gate *gate, int status)
{
    size_t i = gate->at;
    while (i < gate->count && gate->candidates[i].decided)
        i++;
    if (i == gate->count)
        return false;
    say_how(gate, status, &gate->candidates[i]);
    gate->candidates[i].decided = true;
    return true;
}

static bool all_decided(const struct gate *gate)
{
    for (size_t i = 0; i < gate->count; i++)
        if (!gate->candidates[i].decided)
            return false;
    return true;
}

bool gate_reap(struct gate *gate)
{
    int status;
    if (gate->child == 0 || waitpid(gate->child, &status, WNOHANG) != gate->child)
        return false;
    on_answer(gate->loop, &gate->answers, 0);
    stop_watching(gate);
    gate->child = 0;
    bool whole = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !gate->timed_out;
    if (!all_decided(gate))
        charge(gate, whole ? 0 : status);
    gate->timed_out = false;
    if (all_decided(gate))
        gate->decided(gate->arg);
    else
        start_child(gate);
    return true;
}

static void refuse_rest(struct gate *gate, int error)
{
    for (size_t i = 0; i < gate->count; i++) {
        struct candidate *candidate = &gate->candidates[i];
        if (candidate->decided)
            continue;
        candidate->decided = true;
        snprintf(candidate->reason, sizeof candidate->reason, "%s could not be looked at: %s", candidate->shown,
            strerror(error));
    }
    gate->decided(gate->arg);
}

static void start_child(struct gate *gate)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return refuse_rest(gate, errno);
    log_flush();
    fflush(NULL);
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        close(ends[0]);
        gate->in_child(gate->arg);
        gate_child_run(gate, ends[1], parent);
    }
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return refuse_rest(gate, error);
    }
    gate->child = child;
    gate->pipe = ends[0];
    gate->step[0] = '\0';
    fcntl(gate->pipe, F_SETFL, O_NONBLOCK);
    ev_io_init(&gate->answers, on_answer, gate->pipe, EV_READ);
    ev_init(&gate->limit, on_limit);
    gate->answers.data = gate->limit.data = gate;
    ev_io_start(gate->loop, &gate->answers);
    allow_time(gate);
}

void gate_start(struct gate *gate)
{
    gate->at = 0;
    gate->child = 0;
    gate->pipe = -1;
    gate->timed_out = false;
    if (all_decided(gate))
        gate->decided(gate->arg);
    else
        start_child(gate);
}

void gate_cancel(struct gate *gate)
{
    if (gate->child == 0)
        return;
    stop_watching(gate);
    kill(gate->child, SIGKILL);
    waitpid(gate->child, NULL, 0);
    gate->child = 0;
}
