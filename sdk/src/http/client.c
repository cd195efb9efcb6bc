/*
 * libcurl on libev: sockets and timers of the multi handles, idle handles, start and stop.
 *
 * libcurl says which sockets it wants watched and when it wants to be called (socket action), so a turn of the
 * loop costs what happened in it, not what waits.
 *
 * Streams have a multi handle of their own: they use HTTP/1.1 (call.c), and to libcurl one HTTP/1.1 connection
 * to a host says that the host cannot multiplex (measured: 50 calls opened 47 connections instead of sharing
 * one).
 */
#include "client.h"

#include "provider.h"

#include <errno.h>
#include <http.h>
#include <stdlib.h>

enum {
    IDLE_HANDLES_MAX = 32,
    IDLE_CONNECTIONS_MAX = 256,
    CONNECTION_STEP = 256,
    CONNECTION_AGE_SECONDS = 55, /* load balancers drop idle connections after 60 s */
};

struct side {
    CURLM *multi;
    ev_timer timer;
    int used_count, connections_max;
};

struct socket_watch {
    ev_io io;
    struct side *side;
};

static struct client {
    struct ev_loop *loop;
    struct side whole, streams;
    CURLSH *share; /* TLS sessions and addresses; connections are each side's */
    const char *ca_file;
    CURL *idle[IDLE_HANDLES_MAX];
    int idle_count;
    bool pump_due;
} client;

static struct side *side_of(bool streamed)
{
    return streamed ? &client.streams : &client.whole;
}

static void take_messages(struct side *side)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(side->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        char *call = NULL;
        if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK && call != NULL)
            call_done((struct http_call *)call, code);
    }
    if (client.pump_due) {
        client.pump_due = false;
        provider_pump_all();
    }
}

static void act(struct side *side, curl_socket_t socket, int events)
{
    int running;
    curl_multi_socket_action(side->multi, socket, events, &running);
    take_messages(side);
}

static void socket_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    struct socket_watch *watch = watcher->data;
    act(watch->side, watcher->fd,
        (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void time_is_up(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop, (void)events;
    act(watcher->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
    (void)multi;
    struct side *side = user;
    ev_timer_stop(client.loop, &side->timer);
    if (timeout_ms < 0)
        return 0;
    /* Relative to now, not to the loop's cached time, which is as old as this turn. */
    double stale = ev_time() - ev_now(client.loop);
    ev_timer_set(&side->timer, timeout_ms == 0 ? 0 : (double)timeout_ms / 1000 + stale, 0);
    ev_timer_start(client.loop, &side->timer);
    return 0;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *socket_user)
{
    (void)easy;
    struct side *side = user;
    struct socket_watch *watch = socket_user;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL)
            ev_io_stop(client.loop, &watch->io);
        free(watch);
        curl_multi_assign(side->multi, socket, NULL);
        return 0;
    }

    if (watch == NULL) {
        watch = calloc(1, sizeof *watch);
        if (watch == NULL)
            return -1;
        ev_io_init(&watch->io, socket_ready, socket, 0);
        watch->io.data = watch;
        watch->side = side;
        curl_multi_assign(side->multi, socket, watch);
    }
    int events = (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0);
    ev_io_stop(client.loop, &watch->io);
    ev_io_set(&watch->io, socket, events);
    ev_io_start(client.loop, &watch->io);
    return 0;
}

/* libcurl counts connections in use against its cap too; keep room for idle ones above them. */
static void fit_connections(struct side *side)
{
    int wanted = (side->used_count / CONNECTION_STEP + 1) * CONNECTION_STEP + IDLE_CONNECTIONS_MAX;
    if (wanted == side->connections_max)
        return;
    side->connections_max = wanted;
    curl_multi_setopt(side->multi, CURLMOPT_MAXCONNECTS, (long)wanted);
}

CURL *client_take(void)
{
    CURL *easy = client.idle_count > 0 ? client.idle[--client.idle_count] : curl_easy_init();
    if (easy == NULL)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_SHARE, client.share);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Else a call that is given up while its host is looked up holds the loop until the resolver answers. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_AGE_SECONDS);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (client.ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, client.ca_file);
    return easy;
}

static void give_back(CURL *easy)
{
    if (client.idle_count == IDLE_HANDLES_MAX) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    client.idle[client.idle_count++] = easy;
}

int client_add(CURL *easy, bool streamed)
{
    struct side *side = side_of(streamed);
    side->used_count++;
    fit_connections(side);
    if (curl_multi_add_handle(side->multi, easy) == CURLM_OK)
        return 0;
    side->used_count--;
    give_back(easy);
    return -ENOMEM;
}

void client_drop(CURL *easy, bool streamed)
{
    struct side *side = side_of(streamed);
    curl_multi_remove_handle(side->multi, easy);
    side->used_count--;
    give_back(easy);
}

void client_pump_later(void)
{
    client.pump_due = true;
}

static int start_side(struct side *side)
{
    ev_timer_init(&side->timer, time_is_up, 0, 0);
    side->timer.data = side;
    side->multi = curl_multi_init();
    if (side->multi == NULL)
        return -ENOMEM;
    curl_multi_setopt(side->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(side->multi, CURLMOPT_SOCKETDATA, side);
    curl_multi_setopt(side->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(side->multi, CURLMOPT_TIMERDATA, side);
    curl_multi_setopt(side->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    fit_connections(side);
    return 0;
}

static void stop_side(struct side *side)
{
    if (side->multi == NULL)
        return;
    curl_multi_cleanup(side->multi);
    ev_timer_stop(client.loop, &side->timer);
}

static int start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -ENOMEM;
    client.share = curl_share_init();
    if (client.share == NULL)
        return -ENOMEM;
    curl_share_setopt(client.share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_share_setopt(client.share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    int rc = start_side(&client.whole);
    return rc < 0 ? rc : start_side(&client.streams);
}

int http_start(struct ev_loop *loop, const struct provider_settings *providers, size_t count)
{
    client = (struct client){ .loop = loop };
    /* The variable that OpenSSL's own tools read: an operator's private authority. */
    const char *ca_file = getenv("SSL_CERT_FILE");
    client.ca_file = ca_file != NULL && ca_file[0] != '\0' ? ca_file : NULL;

    int rc = start_curl();
    if (rc == 0)
        rc = provider_start_all(providers, count);
    if (rc < 0)
        http_stop();
    return rc;
}

void http_stop(void)
{
    while (client.idle_count > 0)
        curl_easy_cleanup(client.idle[--client.idle_count]);
    stop_side(&client.whole);
    stop_side(&client.streams);
    if (client.share != NULL)
        curl_share_cleanup(client.share);
    provider_stop_all();
    curl_global_cleanup();
    client = (struct client){ 0 };
}
