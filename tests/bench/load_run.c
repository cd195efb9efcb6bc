/*
 * The load: connections on one epoll loop, each with at most one request under way.
 *
 * Without a rate each connection sends as soon as it has its answer (a closed loop): what the server can do at
 * most. With one, request k is due k / rate after the start, whatever the server does; the first free
 * connection takes it, and its latency counts from the moment it was due. A server that stalls so delays every
 * request that was due meanwhile, not only those under way: what a closed loop omits.
 */
#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS = 256,
    ANSWER_BYTES = 16384,
    NS_A_SECOND = 1000000000
};

struct connection {
    int fd;
    uint64_t due_ns; /* of the request under way */
    size_t have;
    char *answer; /* ANSWER_BYTES, as far as it has come */
};

struct run {
    struct load *load;
    int epoll;
    struct connection *connections;
    struct connection **free; /* a ring of those without a request, with a rate only */
    size_t free_first, free_count;
    size_t next_request;
    uint64_t begun_ns, due_count; /* of the schedule */
    bool measuring;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
}

/* --- CPU time -----------------------------------------------------------------------------------------------
 */

/* Of all threads of a process, ended ones too, in nanoseconds: /proc/PID/stat has hundredths of a second. */
static uint64_t cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        load_die("process %d is gone", (int)pid);
    return (uint64_t)used.tv_sec * NS_A_SECOND + (uint64_t)used.tv_nsec;
}

static uint64_t group_cpu_ns(const struct load_group *group)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < group->count; i++)
        sum += cpu_ns(group->pids[i]);
    return sum;
}

/* The window begins and ends with the same readings; the difference stays. */
static void read_clocks(struct load *load)
{
    for (size_t i = 0; i < load->group_count; i++)
        load->groups[i].cpu_ns = group_cpu_ns(&load->groups[i]) - load->groups[i].cpu_ns;
    load->own_cpu_ns = cpu_ns(0) - load->own_cpu_ns;
    load->measured_s = (double)now_ns() / NS_A_SECOND - load->measured_s;
}

/* --- connections --------------------------------------------------------------------------------------------
 */

static void send_all(struct connection *connection, struct load_bytes bytes)
{
    if (send(connection->fd, bytes.data, bytes.length, MSG_NOSIGNAL) != (ssize_t)bytes.length)
        load_die("a request could not be sent: %m");
}

static void send_next(struct run *run, struct connection *connection, uint64_t due_ns)
{
    struct load *load = run->load;
    connection->due_ns = due_ns;
    send_all(connection, load->requests[run->next_request]);
    run->next_request = (run->next_request + 1) % load->request_count;
}

/* In turn: one that is never used is closed by the server, which waits for its first request only so long. */
static struct connection *take_free(struct run *run)
{
    struct connection *connection = run->free[run->free_first];
    run->free_first = (run->free_first + 1) % run->load->connection_count;
    run->free_count--;
    return connection;
}

static void give_free(struct run *run, struct connection *connection)
{
    run->free[(run->free_first + run->free_count++) % run->load->connection_count] = connection;
}

static void receive(struct connection *connection)
{
    ssize_t got =
        recv(connection->fd, connection->answer + connection->have, ANSWER_BYTES - connection->have, 0);
    if (got == 0)
        load_die("the server closed a connection");
    if (got < 0)
        load_die("an answer could not be read: %m");
    connection->have += (size_t)got;
}

/* Whether the answer to the request under way is there, and right. */
static bool answered(const struct load *load, struct connection *connection)
{
    size_t length = load->websocket
                        ? load_frame_answer(connection->answer, connection->have, load->expected)
                        : load_http_answer(connection->answer, connection->have, 200, load->expected);
    if (length == 0 && connection->have == ANSWER_BYTES)
        load_die("an answer is longer than %d bytes", ANSWER_BYTES);
    if (length != 0 && length != connection->have)
        load_die("an answer has %zu bytes more than it says", connection->have - length);
    if (length != 0)
        connection->have = 0;
    return length != 0;
}

/* Sends and waits for the answer, on a socket that still blocks. */
static void open_websocket(const struct load *load, struct connection *connection)
{
    send_all(connection, load->opening);
    do
        receive(connection);
    while (load_http_answer(connection->answer, connection->have, 101, "") == 0);
    connection->have = 0;
}

static void open_connection(struct run *run, struct connection *connection)
{
    struct load *load = run->load;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(load->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
    };
    int one = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    connection->answer = malloc(ANSWER_BYTES);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
        load_die("port %d: %m", load->port);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (load->websocket)
        open_websocket(load, connection);
    if (load->hold)
        send_next(run, connection, 0);
    while (load->hold && (receive(connection), !answered(load, connection)))
        continue;

    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
    epoll_ctl(run->epoll, EPOLL_CTL_ADD, connection->fd, &event);
}

/* --- the schedule -------------------------------------------------------------------------------------------
 */

static uint64_t next_due_ns(const struct run *run)
{
    return run->begun_ns + (uint64_t)((double)run->due_count / run->load->rate * NS_A_SECOND);
}

static void send_what_is_due(struct run *run)
{
    uint64_t now = now_ns();
    for (uint64_t due; run->free_count > 0 && (due = next_due_ns(run)) <= now; run->due_count++)
        send_next(run, take_free(run), due);
}

static void on_readable(struct run *run, struct connection *connection)
{
    receive(connection);
    if (!answered(run->load, connection))
        return;
    uint64_t now = now_ns();
    if (run->measuring)
        latency_record(&run->load->latency, now - connection->due_ns);
    if (run->load->rate > 0)
        give_free(run, connection);
    else
        send_next(run, connection, now);
}

/* How long to wait at most: to the end, or to the next request that a free connection could take. */
static struct timespec patience(const struct run *run, uint64_t now, uint64_t end_ns)
{
    uint64_t until = end_ns;
    if (run->load->rate > 0 && run->free_count > 0 && next_due_ns(run) < until)
        until = next_due_ns(run);
    uint64_t ns = until > now ? until - now : 0;
    return (struct timespec){ (time_t)(ns / NS_A_SECOND), (long)(ns % NS_A_SECOND) };
}

static void turn_until(struct run *run, uint64_t end_ns)
{
    for (uint64_t now; (now = now_ns()) < end_ns;) {
        if (run->load->rate > 0)
            send_what_is_due(run);
        struct epoll_event ready[EVENTS];
        struct timespec timeout = patience(run, now_ns(), end_ns);
        int count = epoll_pwait2(run->epoll, ready, EVENTS, &timeout, NULL);
        for (int i = 0; i < count; i++)
            on_readable(run, ready[i].data.ptr);
    }
}

static void begin(struct run *run)
{
    run->begun_ns = now_ns();
    for (size_t i = 0; i < run->load->connection_count; i++) {
        if (run->load->rate > 0)
            give_free(run, &run->connections[i]);
        else
            send_next(run, &run->connections[i], now_ns());
    }
}

/* Whoever started this reads "ready", and ends it by closing its standard input. */
static void hold(void)
{
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        continue;
}

static void close_all(struct run *run)
{
    for (size_t i = 0; i < run->load->connection_count; i++) {
        close(run->connections[i].fd);
        free(run->connections[i].answer);
    }
    free(run->connections);
    free(run->free);
    close(run->epoll);
}

static void apply(struct run *run)
{
    struct load *load = run->load;
    begin(run);
    turn_until(run, run->begun_ns + (uint64_t)(load->warmup_s * NS_A_SECOND));
    run->measuring = true;
    read_clocks(load);
    turn_until(run, now_ns() + (uint64_t)(load->window_s * NS_A_SECOND));
    read_clocks(load);
}

void load_run(struct load *load)
{
    struct run run = {
        .load = load,
        .epoll = epoll_create1(0),
        .connections = calloc(load->connection_count, sizeof(struct connection)),
        .free = calloc(load->connection_count, sizeof(struct connection *)),
    };
    /* The kernel may wake a sleeper 50 us late unless it is told otherwise, which would count as the server's.
     */
    prctl(PR_SET_TIMERSLACK, 1);
    for (size_t i = 0; i < load->connection_count; i++)
        open_connection(&run, &run.connections[i]);
    if (load->hold)
        hold();
    else
        apply(&run);
    close_all(&run);
}
