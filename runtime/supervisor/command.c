/*
 * command: the supervisor's end of the socket; see command.h.
 */
#include "supervisor/command.h"

#include "config/config.h"
#include "supervisor/control.h"
#include "supervisor/deployment.h"
#include "supervisor/reload.h"
#include "supervisor/status.h"
#include "supervisor/upgrade.h"
#include "supervisor/workers.h"

#include <errno.h>
#include <log.h>
#include <log_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    COMMAND_MAX = 32 * 1024 /* a compiler's text, escaped */
};

struct commands {
    struct supervisor *supervisor;
    int fd;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    ev_io acceptor;
    struct client *clients;
};

struct client {
    struct client *next;
    struct commands *commands;
    ev_io input;
    char text[COMMAND_MAX];
    size_t length;
    bool gone; /* its answer has nobody to go to */
    bool waits;
    int stale_index; /* of the function that is fresh when a reload has ended */
};

static void client_free(struct client *client)
{
    struct client **at = &client->commands->clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    free(client);
}

static void hang_up(struct client *client)
{
    ev_io_stop(client->commands->supervisor->loop, &client->input);
    if (!client->gone)
        close(client->input.fd);
    client->gone = true;
    if (!client->waits)
        client_free(client);
}

static void answer(struct client *client, json_t *answer)
{
    char *text = json_dumps(answer, JSON_COMPACT);
    if (text != NULL && !client->gone) {
        send(client->input.fd, text, strlen(text), MSG_NOSIGNAL);
        send(client->input.fd, "\n", 1, MSG_NOSIGNAL);
    }
    free(text);
    json_decref(answer);
    client->waits = false;
    hang_up(client);
}

/* Gives the log's shared memory to who asks: reading it is the reader's work alone. */
static void hand_log(struct client *client)
{
    static char text[] = "{\"ok\":true}\n";
    int fd = log_ring_fd();
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec part = { text, sizeof text - 1 };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes
    };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    *rights =
        (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd) };
    memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    sendmsg(client->input.fd, &message, MSG_NOSIGNAL);
    hang_up(client);
}

static void refuse(struct client *client, const char *error)
{
    answer(client, json_pack("{s:b, s:s}", "ok", 0, "error", error));
}

static void on_reloaded(void *arg, json_t *report)
{
    struct client *client = arg;
    bool refused = json_array_size(json_object_get(report, "refused")) > 0;
    const char *configuration = json_string_value(json_object_get(report, "configuration"));
    refused = refused || (configuration != NULL && strcmp(configuration, "refused") == 0);
    json_object_set_new(report, "ok", json_boolean(!refused));
    answer(client, json_incref(report));
}

/* What was built again is looked at before its function counts as fresh. */
static void on_fresh(void *arg, json_t *report)
{
    struct client *client = arg;
    (void)report;
    registry_set_stale(client->commands->supervisor->registry, client->stale_index, NULL);
    answer(client, json_pack("{s:b}", "ok", 1));
}

/* A builder beside a development host could not, or could again, build a function. */
static void mark_stale(struct client *client, const json_t *command)
{
    struct supervisor *supervisor = client->commands->supervisor;
    struct registry *registry = supervisor->registry;
    const char *name = json_string_value(json_object_get(command, "function"));
    int index = name != NULL ? registry_find(registry, name) : -1;
    if (registry->staleness == STALENESS_UNKNOWN)
        return refuse(client, "this is no development host");
    if (index < 0)
        return refuse(client, "there is no such function");
    const char *text = json_string_value(json_object_get(command, "text"));
    if (text != NULL) {
        registry_set_stale(registry, index, text);
        return answer(client, json_pack("{s:b}", "ok", 1));
    }
    client->waits = true;
    client->stale_index = index;
    reload_ask(supervisor, &(struct reload_request){
                               .kind = RELOAD_CHANGED, .cause = "command", .done = on_fresh, .arg = client });
}

static void obey(struct client *client, const json_t *command)
{
    static const struct {
        const char *name;
        enum reload_kind kind;
        bool function;
    } reloads[] = { { "reload", RELOAD_FORCED, false }, { "rollback", RELOAD_ROLLBACK, true },
        { "promote", RELOAD_PROMOTE, true } };
    struct supervisor *supervisor = client->commands->supervisor;
    const char *name = json_string_value(json_object_get(command, "command"));
    const char *function = json_string_value(json_object_get(command, "function"));
    if (name == NULL)
        return refuse(client, "command must be a string");
    if (strcmp(name, "status") == 0)
        return answer(client, status_json(supervisor));
    if (strcmp(name, "log") == 0)
        return log_ring_fd() >= 0 ? hand_log(client) : refuse(client, "there was no memory for the log");
    if (strcmp(name, "stale") == 0)
        return mark_stale(client, command);
    if (strcmp(name, "upgrade") == 0) {
        const char *reason = upgrade_begin(supervisor, json_string_value(json_object_get(command, "binary")));
        return reason != NULL ? refuse(client, reason) : answer(client, json_pack("{s:b}", "ok", 1));
    }
    for (size_t i = 0; i < sizeof reloads / sizeof *reloads; i++) {
        if (strcmp(name, reloads[i].name) != 0)
            continue;
        if (reloads[i].function && function == NULL)
            return refuse(client, "function must be a string");
        client->waits = true;
        reload_ask(supervisor, &(struct reload_request){ .kind = reloads[i].kind,
                                   .cause = "command",
                                   .function = function,
                                   .done = on_reloaded,
                                   .arg = client });
        return;
    }
    refuse(client, "there is no such command");
}

static void on_input(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop, (void)events;
    struct client *client = watcher->data;
    ssize_t length = recv(watcher->fd, client->text + client->length, COMMAND_MAX - client->length, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0 || client->waits)
        return hang_up(client);
    client->length += (size_t)length;
    const char *end = memchr(client->text, '\n', client->length);
    if (end == NULL && client->length < COMMAND_MAX)
        return;
    json_t *command = end != NULL ? json_loadb(client->text, (size_t)(end - client->text), 0, NULL) : NULL;
    if (json_is_object(command))
        obey(client, command);
    else
        refuse(client, "a command is a JSON object on one line");
    json_decref(command);
}

static bool is_ours(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void on_accept(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct commands *commands = watcher->data;
    int fd = accept4(watcher->fd, NULL, NULL, SOCK_CLOEXEC);
    struct client *client = fd >= 0 && is_ours(fd) ? calloc(1, sizeof *client) : NULL;
    if (client == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    /* Answers are short enough for the socket; a reader that does not read must not hold the supervisor up. */
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ .tv_usec = 200000 }, sizeof(struct timeval));
    client->commands = commands;
    client->next = commands->clients;
    commands->clients = client;
    ev_io_init(&client->input, on_input, fd, EV_READ);
    client->input.data = client;
    ev_io_start(loop, &client->input);
}

/* A socket that nobody listens on is one that a killed host has left. */
static int bind_socket(int fd, const struct sockaddr_un *address)
{
    mode_t mask = umask(0177);
    int result = bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : -errno;
    if (result == -EADDRINUSE) {
        int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool dead =
            connect(probe, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;
        close(probe);
        if (dead && unlink(address->sun_path) == 0)
            result = bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : -errno;
    }
    umask(mask);
    return result == 0 && listen(fd, 16) < 0 ? -errno : result;
}

void commands_open(struct supervisor *supervisor)
{
    if (supervisor->config->path == NULL || supervisor->options->worker != NULL)
        return;
    struct commands *commands = calloc(1, sizeof *commands);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (commands == NULL)
        return;
    command_path(supervisor->config->path, address.sun_path, sizeof address.sun_path);
    commands->supervisor = supervisor;
    commands->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = commands->fd < 0 ? -errno : bind_socket(commands->fd, &address);
    if (result < 0) {
        log_event(EDGE_LOG_WARN, "commands_unavailable", { "socket", edge_text(address.sun_path) },
            { "reason", edge_text(result == -EADDRINUSE ? "another host serves this configuration"
                                                        : strerror(-result)) });
        if (commands->fd >= 0)
            close(commands->fd);
        free(commands);
        return;
    }
    memcpy(commands->path, address.sun_path, sizeof commands->path);
    ev_io_init(&commands->acceptor, on_accept, commands->fd, EV_READ);
    commands->acceptor.data = commands;
    ev_io_start(supervisor->loop, &commands->acceptor);
    supervisor->commands = commands;
}

void commands_forget(struct supervisor *supervisor)
{
    const struct commands *commands = supervisor->commands;
    if (commands == NULL)
        return;
    for (const struct client *client = commands->clients; client != NULL; client = client->next)
        if (!client->gone)
            close(client->input.fd);
    close(commands->fd);
}

void commands_close(struct supervisor *supervisor)
{
    struct commands *commands = supervisor->commands;
    if (commands == NULL)
        return;
    while (commands->clients != NULL) {
        struct client *client = commands->clients;
        client->waits = false;
        hang_up(client);
    }
    ev_io_stop(supervisor->loop, &commands->acceptor);
    close(commands->fd);
    unlink(commands->path);
    free(commands);
    supervisor->commands = NULL;
}
