/*
 * Pages of Lofty.
 */
#include "lib/lofty_pages.h"

#include <stdlib.h>
#include <string.h>

enum {
    TRIES = 4,
    PAUSE_MS = 500,
    PAUSE_MAX_SECONDS = 60,
    ANSWER_MAX_BYTES = 8 << 20,
    FIRST_BUFFER_BYTES = 128 << 10,
};

static const char *path_of(const struct lofty_reader *reader)
{
    edge_ctx *ctx = reader->crm->ctx;
    if (!reader->of_leads)
        return edge_format(ctx, "/v2.0/transactions?pageSize=100&pageNum=%lld", (long long)reader->page_num);
    const char *path = edge_format(ctx, "/v1.0/leads?limit=100&offset=%lld", (long long)reader->fetched);
    return reader->scroll_id == NULL
               ? path
               : edge_format(ctx, "%s&scrollId=%s", path, edge_url_encode(ctx, reader->scroll_id));
}

/* Makes room for more bytes in the buffer; what it outgrows is at most as much again. */
static void make_room(struct lofty_reader *reader, size_t used, size_t more)
{
    size_t size = reader->buffer_size == 0 ? FIRST_BUFFER_BYTES : reader->buffer_size;
    while (size < used + more)
        size *= 2;
    if (size == reader->buffer_size)
        return;
    char *grown = edge_alloc(reader->crm->ctx, size);
    if (used > 0)
        memcpy(grown, reader->buffer, used);
    reader->buffer = grown;
    reader->buffer_size = size;
}

/* The answer's body, read in pieces so that a thousand pages need the memory of one; false when it is no JSON.
 */
static json_t *read_body(struct lofty_reader *reader, edge_reply *reply)
{
    edge_ctx *ctx = reader->crm->ctx;
    size_t used = 0, length;
    const void *piece;
    while ((piece = edge_reply_read(ctx, reply, &length)) != NULL) {
        if (used + length > ANSWER_MAX_BYTES) {
            reply->failure = EDGE_HTTP_TOO_LARGE;
            return NULL;
        }
        make_room(reader, used, length);
        memcpy(reader->buffer + used, piece, length);
        used += length;
    }
    return reply->failure == EDGE_HTTP_OK ? edge_json_parse(ctx, used > 0 ? reader->buffer : "", used) : NULL;
}

static edge_reply *ask(struct lofty_reader *reader, json_t **body)
{
    struct crm *crm = reader->crm;
    edge_fetch_options options = {
        .path = path_of(reader),
        .headers = crm_headers(crm),
        .retries = -1,
        .timeout_ms = crm->call_ms,
        .max_bytes = ANSWER_MAX_BYTES,
    };
    edge_reply *reply = edge_fetch_stream_with(crm->ctx, crm->provider->name, &options);
    *body = NULL;
    if (reply->failure == EDGE_HTTP_OK && reply->status >= 200 && reply->status <= 299)
        *body = read_body(reader, reply);
    else if (reply->failure == EDGE_HTTP_OK)
        edge_reply_finish(crm->ctx, reply);
    return reply;
}

static bool may_pass(const edge_reply *reply)
{
    if (reply->failure != EDGE_HTTP_OK)
        return reply->failure != EDGE_HTTP_TOO_LARGE;
    return reply->status == 429 || reply->status >= 500;
}

static int64_t pause_ms(edge_ctx *ctx, const edge_reply *reply, int tries)
{
    const char *configured = edge_env(ctx, "CRM_RETRY_MS");
    if (reply->retry_after_seconds > 0)
        return reply->retry_after_seconds * 1000LL;
    return (configured != NULL ? atoll(configured) : PAUSE_MS) << (tries - 1);
}

/* A scroll id of an earlier call may be gone by now; where it stood is known by the rows fetched. */
static bool has_forgotten(const struct lofty_reader *reader, const edge_reply *reply)
{
    return reader->is_saved_scroll && reader->scroll_id != NULL && reply->failure == EDGE_HTTP_OK &&
           reply->status >= 400 && reply->status <= 499 && reply->status != 401 && reply->status != 429;
}

static edge_reply *ask_patiently(struct lofty_reader *reader, json_t **body)
{
    edge_ctx *ctx = reader->crm->ctx;
    for (int tries = 1;; tries++) {
        edge_reply *reply = ask(reader, body);
        if (has_forgotten(reader, reply)) {
            reader->scroll_id = NULL;
            reply = ask(reader, body);
        }
        if (!may_pass(reply) || tries == TRIES || reply->retry_after_seconds > PAUSE_MAX_SECONDS ||
            edge_client_gone(ctx))
            return reply;
        if (reader->run != NULL && !lofty_run_renew(reader->run))
            return reply;
        edge_sleep(ctx, pause_ms(ctx, reply, tries));
    }
}

static int64_t total_of(const json_t *body, bool of_leads)
{
    const json_t *metadata = json_object_get(body, "_metadata");
    if (!json_is_object(metadata))
        metadata = json_object_get(body, "get_metadata");
    const json_t *total = of_leads ? json_object_get(metadata, "total") : json_object_get(body, "totalCount");
    return json_is_integer(total) ? json_integer_value(total) : -1;
}

static const char *scroll_of(const struct lofty_reader *reader, const json_t *body)
{
    const char *scroll = edge_json_text(json_object_get(body, "_metadata"), "scrollId");
    if (scroll == NULL)
        scroll = edge_json_text(json_object_get(body, "get_metadata"), "scrollId");
    return reader->of_leads && scroll != NULL && scroll[0] != '\0' ? scroll : NULL;
}

struct lofty_page lofty_read(struct lofty_reader *reader)
{
    struct lofty_page page = { .total = -1 };
    edge_reply *reply = ask_patiently(reader, &page.body);
    page.failure = crm_failure_of(reader->crm, reply);
    if (page.failure != NULL)
        return page;
    page.rows = json_object_get(page.body, reader->of_leads ? "leads" : "pageData");
    if (!json_is_array(page.rows)) {
        page.failure = crm_unusable(reader->crm, "Lofty answered without a list");
        return page;
    }
    page.total = total_of(page.body, reader->of_leads);
    page.scroll_id = edge_copy(reader->crm->ctx, scroll_of(reader, page.body));
    reader->is_saved_scroll = false;
    return page;
}
