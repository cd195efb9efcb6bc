/*
 * libc's calls that open, copy and close descriptors, as plugins get them; see descriptors.h. Each does what
 * libc's does and says so to the table. "64" and the "_2" of _FORTIFY_SOURCE are the same calls on 64-bit
 * systems.
 */
#include "descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* --- descriptors --- */

static int opened(int fd)
{
    descriptors_opened(fd, DESCRIPTOR_PLAIN, NULL);
    return fd;
}

static int opened_pair(int result, const int fds[2])
{
    if (result == 0) {
        opened(fds[0]);
        opened(fds[1]);
    }
    return result;
}

static bool has_mode(int flags)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

static int call_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = has_mode(flags) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return opened(open(path, flags, mode));
}

static int call_openat(int directory, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = has_mode(flags) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return opened(openat(directory, path, flags, mode));
}

static int call_creat(const char *path, mode_t mode)
{
    return opened(creat(path, mode));
}

static int call_mkostemp(char *path, int flags)
{
    return opened(mkostemp(path, flags));
}

static int call_mkstemp(char *path)
{
    return opened(mkstemp(path));
}

static int call_mkstemps(char *path, int suffix_length)
{
    return opened(mkstemps(path, suffix_length));
}

static int call_memfd_create(const char *name, unsigned flags)
{
    return opened(memfd_create(name, flags));
}

static int call_dup(int fd)
{
    return opened(dup(fd));
}

static int call_dup2(int fd, int to)
{
    return fd == to ? dup2(fd, to) : opened(dup2(fd, to));
}

static int call_dup3(int fd, int to, int flags)
{
    return opened(dup3(fd, to, flags));
}

/* The argument is an int, a pointer or not there; a register holds either, as in libc's own. */
static int call_fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    void *arg = va_arg(args, void *);
    va_end(args);
    int result = fcntl(fd, command, arg);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? opened(result) : result;
}

static int call_pipe(int fds[2])
{
    return opened_pair(pipe(fds), fds);
}

static int call_pipe2(int fds[2], int flags)
{
    return opened_pair(pipe2(fds, flags), fds);
}

static int call_socket(int domain, int type, int protocol)
{
    return opened(socket(domain, type, protocol));
}

static int call_socketpair(int domain, int type, int protocol, int fds[2])
{
    return opened_pair(socketpair(domain, type, protocol, fds), fds);
}

static int call_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    return opened(accept(fd, address, length));
}

static int call_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    return opened(accept4(fd, address, length, flags));
}

static int call_eventfd(unsigned value, int flags)
{
    return opened(eventfd(value, flags));
}

static int call_epoll_create(int size)
{
    return opened(epoll_create(size));
}

static int call_epoll_create1(int flags)
{
    return opened(epoll_create1(flags));
}

static int call_timerfd_create(clockid_t clock, int flags)
{
    return opened(timerfd_create(clock, flags));
}

static int call_signalfd(int fd, const sigset_t *signals, int flags)
{
    int result = signalfd(fd, signals, flags);
    return fd < 0 ? opened(result) : result;
}

static int call_inotify_init(void)
{
    return opened(inotify_init());
}

static int call_inotify_init1(int flags)
{
    return opened(inotify_init1(flags));
}

static int call_close(int fd)
{
    return descriptors_closing(fd) ? close(fd) : -1;
}

/* --- streams --- */

static FILE *opened_stream(FILE *stream)
{
    if (stream != NULL)
        descriptors_opened(fileno(stream), DESCRIPTOR_STREAM, stream);
    return stream;
}

static FILE *call_fopen(const char *path, const char *mode)
{
    return opened_stream(fopen(path, mode));
}

static FILE *call_fdopen(int fd, const char *mode)
{
    return opened_stream(fdopen(fd, mode));
}

static FILE *call_freopen(const char *path, const char *mode, FILE *stream)
{
    return descriptors_closing(fileno(stream)) ? opened_stream(freopen(path, mode, stream)) : NULL;
}

static FILE *call_tmpfile(void)
{
    return opened_stream(tmpfile());
}

/* One whose descriptor has been closed before stays in memory: fclose would close what has the number now. */
static int call_fclose(FILE *stream)
{
    return descriptors_closing(fileno(stream)) ? fclose(stream) : EOF;
}

static DIR *opened_directory(DIR *directory)
{
    if (directory != NULL)
        descriptors_opened(dirfd(directory), DESCRIPTOR_DIRECTORY, directory);
    return directory;
}

static DIR *call_opendir(const char *path)
{
    return opened_directory(opendir(path));
}

static DIR *call_fdopendir(int fd)
{
    return opened_directory(fdopendir(fd));
}

static int call_closedir(DIR *directory)
{
    return descriptors_closing(dirfd(directory)) ? closedir(directory) : -1;
}

/* --- their names --- */

struct call {
    const char *name;
    void *function;
};

#define CALL(name, function)                                                                                   \
    {                                                                                                          \
        name, (void *)(function)                                                                               \
    }

/* By name (strcmp), for bsearch. */
static const struct call calls[] = {
    CALL("__open64_2", call_open),
    CALL("__open_2", call_open),
    CALL("__openat64_2", call_openat),
    CALL("__openat_2", call_openat),
    CALL("accept", call_accept),
    CALL("accept4", call_accept4),
    CALL("close", call_close),
    CALL("closedir", call_closedir),
    CALL("creat", call_creat),
    CALL("creat64", call_creat),
    CALL("dup", call_dup),
    CALL("dup2", call_dup2),
    CALL("dup3", call_dup3),
    CALL("epoll_create", call_epoll_create),
    CALL("epoll_create1", call_epoll_create1),
    CALL("eventfd", call_eventfd),
    CALL("fclose", call_fclose),
    CALL("fcntl", call_fcntl),
    CALL("fcntl64", call_fcntl),
    CALL("fdopen", call_fdopen),
    CALL("fdopendir", call_fdopendir),
    CALL("fopen", call_fopen),
    CALL("fopen64", call_fopen),
    CALL("freopen", call_freopen),
    CALL("freopen64", call_freopen),
    CALL("inotify_init", call_inotify_init),
    CALL("inotify_init1", call_inotify_init1),
    CALL("memfd_create", call_memfd_create),
    CALL("mkostemp", call_mkostemp),
    CALL("mkostemp64", call_mkostemp),
    CALL("mkstemp", call_mkstemp),
    CALL("mkstemp64", call_mkstemp),
    CALL("mkstemps", call_mkstemps),
    CALL("mkstemps64", call_mkstemps),
    CALL("open", call_open),
    CALL("open64", call_open),
    CALL("openat", call_openat),
    CALL("openat64", call_openat),
    CALL("opendir", call_opendir),
    CALL("pipe", call_pipe),
    CALL("pipe2", call_pipe2),
    CALL("signalfd", call_signalfd),
    CALL("socket", call_socket),
    CALL("socketpair", call_socketpair),
    CALL("timerfd_create", call_timerfd_create),
    CALL("tmpfile", call_tmpfile),
    CALL("tmpfile64", call_tmpfile),
};

static int compare(const void *name, const void *call)
{
    return strcmp(name, ((const struct call *)call)->name);
}

void *descriptors_call(const char *name)
{
    const struct call *call = bsearch(name, calls, sizeof calls / sizeof *calls, sizeof *calls, compare);
    return call != NULL ? call->function : NULL;
}
