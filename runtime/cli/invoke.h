/*
 * What a call of `edge invoke` says, for the ways in which it may be done.
 */
#ifndef INVOKE_H
#define INVOKE_H

#include "cli/command.h"
#include "cli/host_call.h"

struct invoke {
    const char *config, *target, *input, *user, *url, *method, *count;
    struct cli_list headers;
    bool service, anonymous, stream, ws, json, include;
    int messages; /* of --ws: end after so many; 0: a second after nobody says anything more */

    struct host_place place;
    char path[2048];
    struct curl_slist *fields; /* header fields, the caller's identity among them */
};

/* Calls it and prints events as they come. The exit status. */
int invoke_stream(struct invoke *invoke, const char *body, size_t length);

/*
 * Speaks over a WebSocket, and prints a message a line. Sends body as one message, or the lines of standard
 * input when it is NULL. The exit status.
 */
int invoke_ws(struct invoke *invoke, const char *body);

/* Says on standard error how it went: status, time, generation, request. */
void invoke_summary(const struct host_call *call);

/* The fields of the answer's head as an object, names in lower case. */
json_t *invoke_fields(const struct host_call *call);

#endif
