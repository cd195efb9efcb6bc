/*
 * permessage-deflate (RFC 7692) for WebSocket messages, without context takeover in either direction.
 *
 * Every message is compressed by itself with the worker's one compressor, so an idle session costs nothing
 * for it (a window a session would be about 300 KiB). It takes the place of libwebsockets' own extension:
 * that of 4.1.6 ends the process by an assertion (priv->rx.avail_out) when the end of a message falls on the
 * end of its buffer, as that of 3,096 equal letters does.
 */
#ifndef HTTP_WEBSOCKET_DEFLATE_H
#define HTTP_WEBSOCKET_DEFLATE_H

#include <libwebsockets.h>

#include <stdbool.h>
#include <stddef.h>

/* Shorter messages do not gain enough to be worth it. */
#define WEBSOCKET_DEFLATE_MIN 1024

/* The extensions of our virtual host, ended by { 0 }. */
extern const struct lws_extension websocket_extensions[];

/* What is offered to libwebsockets in the client's stead: the parameters it is to accept. */
#define WEBSOCKET_DEFLATE_OFFER "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

/* True when a Sec-WebSocket-Extensions header (NULL: none) holds an offer that we can take. */
bool websocket_deflate_offered(const char *header);

/*
 * Uncompresses a whole message. 0 and the malloc'ed text, or -EMSGSIZE (it has more than limit bytes),
 * -EBADMSG (it is not compressed data), -ENOMEM.
 */
int websocket_inflate(const char *data, size_t length, size_t limit, char **text, size_t *text_length);

/* Compresses a message into out, which holds length bytes. Returns the bytes written, 0 when it does not pay.
 */
size_t websocket_deflate(const void *data, size_t length, void *out);

void websocket_deflate_stop(void);

#endif
