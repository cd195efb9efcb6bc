/*
 * Calls to URLs: which are refused, on what is actually connected to, and where redirects may lead. The network
 * is the test's own: names have the addresses it says, and connections that are allowed end at the peer.
 */
#include "http_tries.h"

#include <curl/curl.h>
#include <http/target.h>

static struct curl_slist *addresses;

static void fetch_public_asked(edge_ctx *ctx)
{
    see(ctx, edge_fetch_public_with(ctx, "peer", asked), clock_us());
}

static void try_public_asked(edge_ctx *ctx)
{
    see(ctx, edge_try_fetch_public_with(ctx, "peer", asked), clock_us());
}

#define TRY_PUBLIC(...) run_calls(try_public_asked, 1, &(const edge_fetch_options){ __VA_ARGS__ })
#define FETCH_PUBLIC(...) run_calls(fetch_public_asked, 1, &(const edge_fetch_options){ __VA_ARGS__ })

static const char *const names[] = { "good.example:80:93.184.216.34", "other.example:80:93.184.216.35",
    "six.example:80:[2606:4700::1111]", "private.example:80:10.1.2.3",
    "mixed.example:80:93.184.216.34,192.168.1.1", "metadata.example:80:169.254.169.254",
    "mapped.example:80:[::ffff:10.0.0.1]", "nat64.example:80:[64:ff9b::a00:1]",
    "ula.example:80:[2606:4700::1111],[fd00::1]", "loop.example:80:127.0.0.1", NULL };

/* The provider has no base URL, as document_fetch; it takes http, because the peer speaks no TLS. */
static void start_guarded(void (*serve)(struct peer *peer, const struct peer_request *request))
{
    const struct provider_settings settings = {
        .name = "peer",
        .public_urls = true,
        .http_urls = true,
        .key = "provider-key",
    };
    provider.serve = serve;
    provider.accepted = provider.requests = 0;
    assert_int_equal(http_start(fiber_loop(), &settings, 1), 0);
    for (const char *const *name = names; *name != NULL; name++)
        addresses = curl_slist_append(addresses, *name);
    http_use_test_network(&(const struct http_test_network){ .addresses = addresses, .port = provider.port });
}

static void stop_guarded(void)
{
    stop_client();
    http_use_test_network(NULL);
    curl_slist_free_all(addresses);
    addresses = NULL;
}

static void test_public_document(void **state)
{
    (void)state;
    start_guarded(serve_json);
    FETCH_PUBLIC(.url = "http://good.example/a%20b?q=1#fragment", .bearer = "theirs");
    assert_int_equal(outcome.status, 0);
    assert_string_equal(seen.body, "{\"ok\":true}");
    assert_non_null(strstr(provider.last_head, "GET /a%20b?q=1 HTTP/1.1\r\nHost: good.example\r\n"));
    assert_non_null(strstr(provider.last_head, "Authorization: Bearer theirs\r\n"));
    assert_int_equal(outcome.usage.fetch_count, 1);
    FETCH_PUBLIC(.url = "HTTP://six.example:80");
    assert_int_equal(outcome.status, 0);
    FETCH_PUBLIC(.url = "http://93.184.216.34/");
    assert_int_equal(outcome.status, 0);
    FETCH_PUBLIC(.url = "http://[2606:4700::1111]/");
    assert_int_equal(outcome.status, 0);
    assert_null(strstr(provider.last_head, "provider-key"));
    assert_int_equal(provider.accepted, 4); /* no connection is shared */
    stop_guarded();
}

static void expect_refused(const char *url)
{
    FETCH_PUBLIC(.url = url);
    if (outcome.status != 400)
        fail_msg("%s passes: %d %s", url, outcome.status, outcome.code);
    assert_string_equal(outcome.code, "url_not_allowed");
    TRY_PUBLIC(.url = url);
    assert_int_equal(outcome.status, 0);
    assert_int_equal(seen.failure, EDGE_HTTP_URL_REFUSED);
    assert_string_not_equal(seen.message, "");
}

static void test_refused_as_they_stand(void **state)
{
    (void)state;
    static const char *const urls[] = { "http://127.0.0.1/", "http://127.1/", "http://2130706433/",
        "http://0x7f000001/", "http://0177.0.0.1/", "http://0x7f.1/", "http://%31%32%37.0.0.1/",
        "http://0x5db8d822/", "http://1572395042/", "http://0135.184.216.34/", "http://93.12113954/",
        "http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://[::1]/", "http://[::]/",
        "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/",
        "http://[2606:4700::1111%25lo]/", "http://[fd00:ec2::254]/", "http://localhost/", "http://LOCALHOST/",
        "http://a.localhost/", "http://localhost./", "http://user@good.example/",
        "http://user:pw@good.example/", "http://:pw@good.example/", "http://good.example:81/",
        "http://good.example:443/", "http://good.example:0/", "ftp://good.example/", "file:///etc/passwd",
        "gopher://good.example/", "good.example", "//good.example/", "/path", "", "http:/good.example/",
        "http://", "http:///", "http://good.example:99999/", "http://a b/", "dict://127.0.0.1:11211/",
        "http://good.example\\@127.0.0.1/", NULL };
    start_guarded(serve_json);
    for (const char *const *url = urls; *url != NULL; url++)
        expect_refused(*url);
    char *endless = malloc(10000);
    memset(endless, 'a', 9999);
    endless[9999] = '\0';
    memcpy(endless, "http://good.example/", 20);
    expect_refused(endless);
    free(endless);
    assert_int_equal(provider.requests, 0);
    stop_guarded();
}

static void test_refused_by_their_addresses(void **state)
{
    (void)state;
    static const char *const urls[] = { "http://private.example/", "http://mixed.example/",
        "http://metadata.example/", "http://mapped.example/", "http://nat64.example/", "http://ula.example/",
        "http://loop.example/", NULL };
    start_guarded(serve_json);
    for (const char *const *url = urls; *url != NULL; url++)
        expect_refused(*url);
    TRY_PUBLIC(.url = "http://private.example/");
    assert_string_equal(seen.message, "its host has the address 10.1.2.3, which is: private (RFC 1918)");
    assert_int_equal(provider.accepted, 0);

    TRY_PUBLIC(.url = "http://nowhere.invalid/");
    assert_int_equal(seen.failure, EDGE_HTTP_UNREACHABLE);
    struct http_provider_stats stats;
    http_get_provider_stats(&stats, 1);
    assert_false(stats.breaker_open); /* anybody's URL says nothing about the next one */
    stop_guarded();
}

/* A name may have another address when it is connected to than it had when it was looked up. */
static void test_an_address_that_has_changed(void **state)
{
    (void)state;
    struct call_target target = { .checked = true, .named = true, .surveyed = true, .seen = true };
    struct http_call call = { .request = { .target = &target } };
    struct curl_sockaddr address = { .family = AF_INET, .addrlen = sizeof(struct sockaddr_in) };
    struct sockaddr_in in = { .sin_family = AF_INET };
    inet_pton(AF_INET, "93.184.216.34", &in.sin_addr);
    memcpy(&address.addr, &in, sizeof in);
    assert_true(target_admits(&call, &address));
    inet_pton(AF_INET, "192.168.0.1", &in.sin_addr);
    memcpy(&address.addr, &in, sizeof in);
    assert_false(target_admits(&call, &address));
    assert_int_equal(call.attempt.failure, EDGE_HTTP_URL_REFUSED);
    inet_pton(AF_INET, "93.184.216.34", &in.sin_addr);
    memcpy(&address.addr, &in, sizeof in);
    assert_false(target_admits(&call, &address)); /* nor any other any more */
}

/* Also a stream, and a call among others. */
static void fetch_in_other_ways(edge_ctx *ctx)
{
    edge_reply *stream = edge_fetch_stream(ctx, "peer", .url = "http://private.example/");
    assert_int_equal(stream->failure, EDGE_HTTP_URL_REFUSED);
    size_t length;
    assert_null(edge_reply_read(ctx, stream, &length));

    edge_reply *replies[3];
    edge_fetch_all(ctx, replies, EDGE_CALL("peer", .url = "http://good.example/"),
        EDGE_CALL("peer", .url = "http://mixed.example/"), EDGE_CALL("peer", .url = "http://six.example/"));
    assert_int_equal(replies[0]->status, 200);
    assert_int_equal(replies[1]->failure, EDGE_HTTP_URL_REFUSED);
    assert_int_equal(replies[2]->status, 200);
    stream = edge_fetch_stream(ctx, "peer", .url = "http://good.example/");
    assert_int_equal(stream->status, 200);
    assert_null(strstr(provider.last_head, "provider-key"));
    edge_reply_finish(ctx, stream);
    assert_string_equal(stream->body, "{\"ok\":true}");
}

static void test_other_calls_to_urls(void **state)
{
    (void)state;
    start_guarded(serve_json);
    run(fetch_in_other_ways);
    assert_int_equal(outcome.status, 0);
    assert_int_equal(provider.requests, 3);
    stop_guarded();
}

/* The path of the request is where it is sent on to, percent-decoded by half: ~ stands for /. */
static void serve_redirect(struct peer *peer, const struct peer_request *request)
{
    char status[512] = "302 Found\r\nLocation: ";
    size_t length = strlen(status);
    const char *to = strstr(request->head, " /to:");
    if (to == NULL) {
        serve_json(peer, request);
        return;
    }
    for (to += 5; *to != ' ' && length < sizeof status - 1; to++)
        status[length++] = *to == '~' ? '/' : *to;
    status[length] = '\0';
    peer_answer(peer, status, "text/html", "<p>elsewhere</p>");
}

static void test_redirects(void **state)
{
    (void)state;
    static const edge_header headers[] = { { "X-Api-Key", "mine" }, { "Cookie", "c=1" },
        { "Accept", "image/png" }, { 0 } };
    start_guarded(serve_redirect);
    FETCH_PUBLIC(.url = "http://good.example/to:~end?x=1", .headers = headers, .bearer = "theirs");
    assert_int_equal(outcome.status, 0);
    assert_non_null(strstr(provider.last_head, "GET /end?x=1 HTTP/1.1\r\nHost: good.example\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nX-Api-Key: mine\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nAuthorization: Bearer theirs\r\n"));

    FETCH_PUBLIC(.url = "http://good.example/to:http:~~other.example~end", .headers = headers,
        .bearer = "theirs");
    assert_int_equal(outcome.status, 0);
    assert_non_null(strstr(provider.last_head, "GET /end HTTP/1.1\r\nHost: other.example\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nAccept: image/png\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nUser-Agent: "));
    assert_null(strstr(provider.last_head, "mine"));
    assert_null(strstr(provider.last_head, "theirs"));
    assert_null(strstr(provider.last_head, "Cookie"));
    stop_guarded();
}

static void test_redirects_inside(void **state)
{
    (void)state;
    static const char *const inside[] = { "http:~~127.0.0.1~", "http:~~private.example~", "http:~~0x7f.1~",
        "~~localhost~x", "~~10.0.0.1~", "http:~~good.example:8080~", "http:~~u@good.example~",
        "ftp:~~good.example~", "file:~~~etc~passwd", "http:~~[::1]~", "~~0x5db8d822~", NULL };
    start_guarded(serve_redirect);
    for (const char *const *to = inside; *to != NULL; to++) {
        char url[256];
        snprintf(url, sizeof url, "http://good.example/to:%s", *to);
        expect_refused(url);
    }
    assert_int_equal(provider.requests, 22);
    stop_guarded();
}

static void serve_circle(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    peer_answer(peer, "301 On and on\r\nLocation: /again", "text/plain", "");
}

static void test_too_many_redirects(void **state)
{
    (void)state;
    start_guarded(serve_circle);
    TRY_PUBLIC(.url = "http://good.example/");
    assert_int_equal(seen.failure, EDGE_HTTP_OK);
    assert_int_equal(seen.status, 301);
    assert_int_equal(provider.requests, 6);
    TRY_PUBLIC(.url = "http://good.example/", .redirects_max = -1);
    assert_int_equal(provider.requests, 7);
    FETCH_PUBLIC(.url = "http://good.example/", .redirects_max = 1);
    assert_int_equal(provider.requests, 9);
    assert_int_equal(outcome.status, 502);
    assert_string_equal(outcome.code, "provider_error");

    /* A plain call to such a URL is guarded too, and follows nothing. */
    TRY(.url = "http://good.example/");
    assert_int_equal(seen.status, 301);
    TRY(.url = "http://private.example/");
    assert_int_equal(seen.failure, EDGE_HTTP_URL_REFUSED);
    assert_int_equal(provider.requests, 10);
    stop_guarded();
}

static void test_response_cap(void **state)
{
    (void)state;
    start_guarded(serve_json);
    TRY_PUBLIC(.url = "http://good.example/", .max_bytes = 5);
    assert_int_equal(seen.failure, EDGE_HTTP_TOO_LARGE);
    stop_guarded();
}

static void upload_anywhere(edge_ctx *ctx)
{
    edge_fetch_upload(ctx, "peer", .url = "http://good.example/");
    fail();
}

static void test_what_is_no_public_fetch(void **state)
{
    (void)state;
    start_guarded(serve_json);
    FETCH_PUBLIC(.path = "/x");
    assert_int_equal(outcome.status, 503); /* no base URL */
    FETCH_PUBLIC(.url = "http://good.example/", .method = "POST");
    assert_int_equal(outcome.status, 500);
    FETCH_PUBLIC(.url = "http://good.example/", .body = "x", .length = 1);
    assert_int_equal(outcome.status, 500);
    FETCH_PUBLIC(.url = "http://good.example/", .path = "/x");
    assert_int_equal(outcome.status, 500);
    run(upload_anywhere);
    assert_int_equal(outcome.status, 500);
    assert_int_equal(provider.requests, 0);
    stop_guarded();

    start_client((struct provider_settings){ 0 }, serve_json);
    FETCH(.url = "http://good.example/");
    assert_int_equal(outcome.status, 500);
    assert_non_null(strstr(outcome.detail, "takes paths"));
    stop_client();
}

/* With a base URL path and query go there; the URL as such is looked at all the same. */
static void test_base_url_stands_in(void **state)
{
    (void)state;
    start_client((struct provider_settings){ .public_urls = true, .key = "provider-key" }, serve_redirect);
    FETCH_PUBLIC(.url = "https://documents.example/a/b.pdf?v=2");
    assert_int_equal(outcome.status, 0);
    assert_non_null(strstr(provider.last_head, "GET /a/b.pdf?v=2 HTTP/1.1\r\nHost: 127.0.0.1:"));
    assert_null(strstr(provider.last_head, "provider-key"));
    FETCH_PUBLIC(.url = "https://documents.example/to:https:~~elsewhere.example~end");
    assert_int_equal(outcome.status, 0);
    assert_non_null(strstr(provider.last_head, "GET /end HTTP/1.1\r\n"));
    provider.requests = 0;
    expect_refused("https://169.254.169.254/latest");
    expect_refused("http://documents.example/");
    assert_int_equal(provider.requests, 0);
    expect_refused("https://documents.example/to:https:~~192.168.0.1~");
    stop_client();
}

static bool allowed;

static void ask_allowed(edge_ctx *ctx)
{
    allowed = edge_url_is_allowed(ctx, "peer", asked->url);
}

static bool is_allowed(const char *url)
{
    run_calls(ask_allowed, 1, &(const edge_fetch_options){ .url = url });
    assert_int_equal(outcome.status, 0);
    return allowed;
}

static void test_url_of_one_host(void **state)
{
    (void)state;
    start_client((struct provider_settings){ .url_host = "linkedin.com", .key = "provider-key" }, serve_json);
    FETCH(.url = "https://www.linkedin.com/upload/1?sig=%2F", .method = "PUT", .body = "bytes", .length = 5);
    assert_int_equal(outcome.status, 0);
    assert_non_null(strstr(provider.last_head, "PUT /upload/1?sig=%2F HTTP/1.1\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nAuthorization: Bearer provider-key\r\n"));
    assert_string_equal(provider.last_body, "bytes");
    assert_true(is_allowed("https://linkedin.com/"));
    assert_true(is_allowed("https://LINKEDIN.com:443/"));
    static const char *const others[] = { "http://www.linkedin.com/", "https://evillinkedin.com/",
        "https://linkedin.com.evil.example/", "https://evil.example/linkedin.com",
        "https://linkedin.com@evil.example/", "https://evil.example#.linkedin.com",
        "https://evil.example\\.linkedin.com/", "https://127.0.0.1/", "https://www.linkedin.com:8443/", NULL };
    for (const char *const *url = others; *url != NULL; url++) {
        if (is_allowed(*url))
            fail_msg("%s is allowed", *url);
        FETCH(.url = *url);
        assert_int_equal(outcome.status, 400);
        assert_string_equal(outcome.code, "url_not_allowed");
    }
    assert_int_equal(provider.requests, 1);
    stop_client();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public_document),
        cmocka_unit_test(test_refused_as_they_stand),
        cmocka_unit_test(test_refused_by_their_addresses),
        cmocka_unit_test(test_an_address_that_has_changed),
        cmocka_unit_test(test_other_calls_to_urls),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_redirects_inside),
        cmocka_unit_test(test_too_many_redirects),
        cmocka_unit_test(test_response_cap),
        cmocka_unit_test(test_what_is_no_public_fetch),
        cmocka_unit_test(test_base_url_stands_in),
        cmocka_unit_test(test_url_of_one_host),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
