/*
 * permessage-deflate; see websocket_deflate.h.
 */
#include "websocket_deflate.h"

#include "websocket_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum {
    RAW_WINDOW_BITS = -15, /* negative: deflate data without zlib's header */
    MEMORY_LEVEL = 8,
    TAIL_BYTES = 4,
    RSV1 = 0x40
};

/* What a flush ends with; it is not sent, and the receiver puts it back (RFC 7692 7.2.1, 7.2.2). */
static const unsigned char tail[TAIL_BYTES] = { 0x00, 0x00, 0xff, 0xff };

/* The worker's, made when the first message needs them. */
static struct {
    z_stream deflate, inflate;
    bool can_deflate, can_inflate;
} zlib;

/* libwebsockets sends the frame: the first one of a compressed message gets the bit that says so. */
static void mark_frame(struct websocket_session *session, struct lws_tokens *frame)
{
    if (session->frame_deflated && frame->len > 0)
        frame->token[0] |= RSV1;
    session->frame_deflated = false;
}

static int on_extension(struct lws_context *context, const struct lws_extension *extension, struct lws *wsi,
    enum lws_extension_callback_reasons reason, void *user, void *in, size_t length)
{
    static const struct lws_ext_options parameters[] = {
        { "server_no_context_takeover", EXTARG_NONE },
        { "client_no_context_takeover", EXTARG_NONE },
        { NULL, EXTARG_NONE },
    };
    (void)context, (void)extension, (void)length;

    switch (reason) {
    case LWS_EXT_CB_CONSTRUCT:
        *(void **)user = websocket_session_of(wsi);
        *(const struct lws_ext_options **)in = parameters;
        websocket_session_of(wsi)->deflates = true;
        break;
    case LWS_EXT_CB_PACKET_TX_PRESEND:
        mark_frame(user, in);
        break;
    default: /* payload goes through as it is: whole messages are (un)compressed, not pieces of them */
        break;
    }
    return 0;
}

const struct lws_extension websocket_extensions[] = {
    { .name = "permessage-deflate", .callback = on_extension },
    { 0 },
};

/* server_max_window_bits demands a window of our compressor, which is the whole worker's. */
static bool acceptable(const char *offer, size_t length)
{
    size_t name = strcspn(offer, "; \t,");
    bool ours = name == strlen(websocket_extensions[0].name) &&
                strncasecmp(offer, websocket_extensions[0].name, name) == 0;
    return ours && memmem(offer, length, "server_max_window_bits", strlen("server_max_window_bits")) == NULL;
}

bool websocket_deflate_offered(const char *header)
{
    for (const char *at = header != NULL ? header : ""; *at != '\0';) {
        at += strspn(at, " \t,");
        size_t length = strcspn(at, ",");
        if (length > 0 && acceptable(at, length))
            return true;
        at += length;
    }
    return false;
}

static bool start_inflate(void)
{
    if (zlib.can_inflate)
        return inflateReset(&zlib.inflate) == Z_OK;
    zlib.can_inflate = inflateInit2(&zlib.inflate, RAW_WINDOW_BITS) == Z_OK;
    return zlib.can_inflate;
}

struct inflated {
    char *text;
    size_t length, capacity, limit;
};

/* Makes room for more output, up to one byte more than the limit: enough to see that it has been passed. */
static int grow(struct inflated *out)
{
    if (out->length > out->limit)
        return -EMSGSIZE;
    size_t capacity = out->capacity * 2 > out->limit + 1 ? out->limit + 1 : out->capacity * 2;
    char *text = realloc(out->text, capacity);
    if (text == NULL)
        return -ENOMEM;
    out->text = text;
    out->capacity = capacity;
    return 0;
}

/* Feeds a piece of input to the end. */
static int inflate_piece(struct inflated *out, const void *data, size_t length)
{
    z_stream *stream = &zlib.inflate;
    stream->next_in = (unsigned char *)data;
    stream->avail_in = (uInt)length;
    for (;;) {
        stream->next_out = (unsigned char *)out->text + out->length;
        stream->avail_out = (uInt)(out->capacity - out->length);
        int result = inflate(stream, Z_SYNC_FLUSH);
        out->length = out->capacity - stream->avail_out;
        if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
            return -EBADMSG;
        if (result == Z_STREAM_END && stream->avail_in > 0 && inflateReset(stream) != Z_OK)
            return -EBADMSG; /* a last block may be followed by more (RFC 7692 7.2.3.5) */
        if (stream->avail_out > 0 && stream->avail_in == 0)
            return out->length > out->limit ? -EMSGSIZE : 0;
        if (stream->avail_out > 0)
            continue;
        int grown = grow(out);
        if (grown < 0)
            return grown;
    }
}

int websocket_inflate(const char *data, size_t length, size_t limit, char **text, size_t *text_length)
{
    struct inflated out = { .limit = limit, .capacity = length * 4 < 256 ? 256 : length * 4 };
    if (out.capacity > limit + 1)
        out.capacity = limit + 1;
    out.text = malloc(out.capacity);
    int result = out.text != NULL && start_inflate() ? 0 : -ENOMEM;
    if (result == 0)
        result = inflate_piece(&out, data, length);
    if (result == 0)
        result = inflate_piece(&out, tail, TAIL_BYTES);
    if (result < 0) {
        free(out.text);
        return result;
    }
    *text = out.text;
    *text_length = out.length;
    return 0;
}

static bool start_deflate(void)
{
    if (zlib.can_deflate)
        return deflateReset(&zlib.deflate) == Z_OK;
    zlib.can_deflate = deflateInit2(&zlib.deflate, Z_BEST_SPEED, Z_DEFLATED, RAW_WINDOW_BITS, MEMORY_LEVEL,
                           Z_DEFAULT_STRATEGY) == Z_OK;
    return zlib.can_deflate;
}

size_t websocket_deflate(const void *data, size_t length, void *out)
{
    if (length < WEBSOCKET_DEFLATE_MIN || !start_deflate())
        return 0;
    z_stream *stream = &zlib.deflate;
    stream->next_in = (unsigned char *)data;
    stream->avail_in = (uInt)length;
    stream->next_out = out;
    stream->avail_out = (uInt)length;
    /* With room left over the flush is complete (zlib.h): its tail is there, and the rest is shorter. */
    if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_out == 0 || stream->avail_in > 0)
        return 0;
    return length - stream->avail_out - TAIL_BYTES;
}

void websocket_deflate_stop(void)
{
    if (zlib.can_inflate)
        inflateEnd(&zlib.inflate);
    if (zlib.can_deflate)
        deflateEnd(&zlib.deflate);
    zlib.can_inflate = zlib.can_deflate = false;
}
