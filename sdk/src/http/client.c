/*
 * libcurl on libev: sockets and timers of the multi handle, idle handles, start and stop.
 *
 * libcurl says which sockets it wants watched and when it wants to be called (socket action), so a turn of the
 * loop costs what happened in it, not what waits.
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

struct socket_watch {
    ev_io io;
};

static struct client {
    struct ev_loop *loop;
    CURLM *multi;
    CURLSH *share; /* TLS sessions; addresses and connections are the multi's */
    const char *ca_file;
    ev_timer timer;
    CURL *idle[IDLE_HANDLES_MAX];
    int idle_count, used_count, connections_max;
    bool pump_due;
} client;

static void take_messages(void)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(client.multi, &left)) != NULL) {
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

static void act(curl_socket_t socket, int events)
{
    int running;
    curl_multi_socket_action(client.multi, socket, events, &running);
    take_messages();
}

static void socket_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    act(watcher->fd, (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void time_is_up(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop, (void)watcher, (void)events;
    act(CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
    (void)multi, (void)user;
    ev_timer_stop(client.loop, &client.timer);
    if (timeout_ms < 0)
        return 0;
    /* Relative to now, not to the loop's cached time, which is as old as this turn. */
    double stale = ev_time() - ev_now(client.loop);
    ev_timer_set(&client.timer, timeout_ms == 0 ? 0 : (double)timeout_ms / 1000 + stale, 0);
    ev_timer_start(client.loop, &client.timer);
    return 0;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *socket_user)
{
    (void)easy, (void)user;
    struct socket_watch *watch = socket_user;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL)
            ev_io_stop(client.loop, &watch->io);
        free(watch);
        curl_multi_assign(client.multi, socket, NULL);
        return 0;
    }

    if (watch == NULL) {
        watch = calloc(1, sizeof *watch);
        if (watch == NULL)
            return -1;
        ev_io_init(&watch->io, socket_ready, socket, 0);
        curl_multi_assign(client.multi, socket, watch);
    }
    int events = (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0);
    ev_io_stop(client.loop, &watch->io);
    ev_io_set(&watch->io, socket, events);
    ev_io_start(client.loop, &watch->io);
    return 0;
}

/* libcurl counts connections in use against its cap too; keep room for idle ones above them. */
static void fit_connections(void)
{
    int wanted = (client.used_count / CONNECTION_STEP + 1) * CONNECTION_STEP + IDLE_CONNECTIONS_MAX;
    if (wanted == client.connections_max)
        return;
    client.connections_max = wanted;
    curl_multi_setopt(client.multi, CURLMOPT_MAXCONNECTS, (long)wanted);
}

CURL *client_take(void)
{
    CURL *easy = client.idle_count > 0 ? client.idle[--client.idle_count] : curl_easy_init();
    if (easy == NULL)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_SHARE, client.share);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
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

int client_add(CURL *easy)
{
    client.used_count++;
    fit_connections();
    if (curl_multi_add_handle(client.multi, easy) == CURLM_OK)
        return 0;
    client.used_count--;
    give_back(easy);
    return -ENOMEM;
}

void client_drop(CURL *easy)
{
    curl_multi_remove_handle(client.multi, easy);
    client.used_count--;
    give_back(easy);
}

void client_pump_later(void)
{
    client.pump_due = true;
}

static int start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -ENOMEM;
    client.multi = curl_multi_init();
    client.share = curl_share_init();
    if (client.multi == NULL || client.share == NULL)
        return -ENOMEM;

    curl_share_setopt(client.share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(client.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(client.multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(client.multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    fit_connections();
    return 0;
}

int http_start(struct ev_loop *loop, const struct provider_settings *providers, size_t count)
{
    client = (struct client){ .loop = loop };
    /* The variable that OpenSSL's own tools read: an operator's private authority. */
    const char *ca_file = getenv("SSL_CERT_FILE");
    client.ca_file = ca_file != NULL && ca_file[0] != '\0' ? ca_file : NULL;
    ev_timer_init(&client.timer, time_is_up, 0, 0);

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
    if (client.multi != NULL)
        curl_multi_cleanup(client.multi);
    if (client.share != NULL)
        curl_share_cleanup(client.share);
    if (client.loop != NULL)
        ev_timer_stop(client.loop, &client.timer);
    provider_stop_all();
    curl_global_cleanup();
    client = (struct client){ 0 };
}
