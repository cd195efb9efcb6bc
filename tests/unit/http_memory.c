/*
 * What a call costs that waits for its provider: resident bytes of 2,000 of them in one worker, against the
 * same invocations asleep. The provider is another process, which takes connections and says nothing (or only a
 * head).
 */
#include "http_peer.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

/* An instrumented allocator says nothing about the real one. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
static const bool measures = false;
#else
static const bool measures = true;
#endif

enum {
    CALLS = 2000,
    CALL_MAX_BYTES = 16 * 1024
};

static bool streamed;
static long resident_before, asleep_bytes;

static long resident_bytes(void)
{
    long size = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm != NULL) {
        if (fscanf(statm, "%ld %ld", &size, &resident) != 2)
            resident = 0;
        fclose(statm);
    }
    return resident * sysconf(_SC_PAGESIZE);
}

static void sleep_long(edge_ctx *ctx)
{
    edge_sleep(ctx, 60 * 1000);
}

static void call_and_wait(edge_ctx *ctx)
{
    json_t *body = json_pack("{s:s, s:[{s:s, s:s}]}", "model", "google/gemini-2.5-flash", "messages", "role",
        "user", "content", "Which of my leads should I call first today, and what do I say to them?");
    edge_fetch_options options = { .path = "/v1/chat/completions", .json = body };
    size_t length;
    if (streamed)
        edge_reply_read(ctx, edge_fetch_stream_with(ctx, "peer", &options), &length);
    else
        edge_fetch_with(ctx, "peer", &options);
}

/* Resident bytes an invocation while CALLS of them wait; all are called off afterwards. */
static long measure(void (*body)(edge_ctx *ctx), int settle_ms)
{
    static edge_ctx *waiting[CALLS];
    memset(&outcome, 0, sizeof outcome);
    running_body = body;
    outcome.running = 1;
    for (int i = 0; i < CALLS; i++) {
        waiting[i] = begin_invocation(1 << 20, 0);
        context_run(waiting[i]);
    }
    turn_loop(settle_ms);
    long bytes = (resident_bytes() - resident_before) / CALLS;
    for (int i = 0; i < CALLS; i++)
        context_cancel(waiting[i], 499, "client_gone", "over");
    assert_int_equal(outcome.finished, CALLS);
    return bytes;
}

/* Accepts everything, reads requests and answers them with a head at most. */
static void stall(int fd, bool heads)
{
    static struct pollfd watched[CALLS + 8];
    size_t count = 1;
    watched[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
    while (poll(watched, count, -1) > 0) {
        int accepted;
        while (count < CALLS + 8 && (accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0)
            watched[count++] = (struct pollfd){ .fd = accepted, .events = POLLIN };
        for (size_t i = 1; i < count; i++) {
            static char request[65536];
            if ((watched[i].revents & POLLIN) == 0)
                continue;
            if (read(watched[i].fd, request, sizeof request) <= 0) {
                close(watched[i].fd);
                watched[i--] = watched[--count];
            } else if (heads) {
                static const char head[] =
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nDate: Tue, 10 Mar 2026 "
                    "12:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n";
                send(watched[i].fd, head, sizeof head - 1, MSG_NOSIGNAL);
            }
        }
    }
    _exit(0);
}

static void allow_descriptors(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void measure_calls(bool stream)
{
    streamed = stream;
    int port, fd = listen_on_loopback(&port);
    pid_t child = fork();
    if (child == 0)
        stall(fd, stream);
    close(fd);

    char base[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%d", port);
    start_client((struct provider_settings){ .base_url = base }, NULL);
    int64_t started_us = clock_us();
    long bytes = measure(call_and_wait, 1500);
    printf("%s: %ld bytes a waiting invocation, %ld of them asleep without a call, %ld the call's (%lld ms)\n",
        stream ? "stream" : "whole", bytes, asleep_bytes, bytes - asleep_bytes,
        (long long)(clock_us() - started_us) / 1000);
    stop_client();
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    if (measures)
        assert_in_range(bytes - asleep_bytes, 0, CALL_MAX_BYTES);
}

static void test_waiting_calls(void **state)
{
    (void)state;
    allow_descriptors();
    resident_before = resident_bytes();
    asleep_bytes = measure(sleep_long, 10);
    measure_calls(false);
    measure_calls(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_waiting_calls) };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
