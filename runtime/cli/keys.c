/*
 * Keys one by one, and safe text; see keys.h.
 */
#include "cli/keys.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool changed;
static pid_t guard;
static int lifeline = -1; /* closed by our end, however that comes; a byte dismisses the guard */

void print_safely(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        /* U+0080 to U+009F, in UTF-8, are control characters too. */
        bool c1 = byte == 0xC2 && i + 1 < length && ((unsigned char)text[i + 1] & 0xE0) == 0x80;
        putchar((byte < 0x20 && byte != '\t') || byte == 0x7F || c1 ? '?' : byte);
        i += c1;
    }
}

/*
 * The terminal's guard: a process that waits for our end, and then puts right what we could not. All its
 * signals are blocked from its first moment: nothing that a terminal sends ends or stops it, and setting the
 * terminal from the background does neither.
 */
__attribute__((noreturn)) static void guard_run(int end, const struct termios *keys)
{
    prctl(PR_SET_NAME, "edge-terminal");
    /* Nothing of ours may stay open in it, such as the lock. */
    dup2(end, STDOUT_FILENO);
    close_range(STDERR_FILENO, ~0U, 0);
    char byte;
    struct termios now;
    bool told = read(STDOUT_FILENO, &byte, 1) == 1;
    /* A shell that has taken over already has settings of its own. */
    if (!told && tcgetattr(STDIN_FILENO, &now) == 0 && now.c_lflag == keys->c_lflag)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    _exit(0);
}

static void guard_start(const struct termios *keys)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    fflush(NULL);
    sigset_t all, ours;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &ours);
    guard = fork();
    if (guard == 0) {
        close(ends[1]);
        guard_run(ends[0], keys);
    }
    sigprocmask(SIG_SETMASK, &ours, NULL);
    close(ends[0]);
    lifeline = ends[1];
}

static void guard_dismiss(void)
{
    if (guard > 0 && write(lifeline, "", 1) == 1)
        waitpid(guard, NULL, 0);
    if (lifeline >= 0)
        close(lifeline);
    guard = 0;
    lifeline = -1;
}

bool keys_open(void)
{
    if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
        (!changed && tcgetattr(STDIN_FILENO, &before) != 0))
        return false;
    struct termios keys = before;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    if (!changed)
        guard_start(&keys);
    changed = true;
    return tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
}

void keys_restore(void)
{
    if (changed && tcgetpgrp(STDIN_FILENO) == getpgrp())
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    if (changed)
        guard_dismiss();
    changed = false;
}
