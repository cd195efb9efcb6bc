/*
 * Answers for callers whose worker ends at once: rendered beforehand, sent with nothing but write.
 */
#ifndef HTTP_LAST_WORDS_H
#define HTTP_LAST_WORDS_H

#include <edge/base.h>

struct http_server;

void last_words_prepare(void);

/*
 * Async-signal-safe as far as the server's lists are whole: the caller of crashed (may be NULL) gets 500
 * "function_crashed", all others that wait, or whose request has not been read yet, get 503 "worker_lost".
 * HTTP/1.1 without TLS only; the rest see their connection end.
 */
void last_words(struct http_server *server, const edge_ctx *crashed);

#endif
