/*
 * Calls from the command line; see host_call.h.
 */
#include "cli/host_call.h"

#include "cli/command.h"
#include "cli/process.h"
#include "supervisor/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_TIMEOUT_MS = 5000
};

/* An address that was bound, as somebody on this machine reaches it. */
static void origin_of(struct host_place *place, const char *address, bool tls)
{
    static const char *const everywhere[] = { "0.0.0.0:", "[::]:", ":" };
    const char *scheme = tls ? "https" : "http";
    snprintf(place->origin, sizeof place->origin, "%s://%s", scheme, address);
    for (size_t i = 0; i < sizeof everywhere / sizeof *everywhere; i++)
        if (strncmp(address, everywhere[i], strlen(everywhere[i])) == 0)
            snprintf(place->origin, sizeof place->origin, "%s://127.0.0.1:%s", scheme,
                address + strlen(everywhere[i]));
    if (strncmp(address, "unix:", 5) == 0) {
        snprintf(place->origin, sizeof place->origin, "%s://localhost", scheme);
        snprintf(place->socket, sizeof place->socket, "%s", address + 5);
    }
}

bool host_place_find(const char *config_path, const char *url, struct host_place *place)
{
    if (url != NULL && strncmp(url, "unix:", 5) == 0) {
        origin_of(place, url, false);
        return true;
    }
    if (url != NULL) {
        size_t length = strlen(url);
        while (length > 0 && url[length - 1] == '/')
            length--;
        snprintf(place->origin, sizeof place->origin, "%.*s", (int)length, url);
        return true;
    }
    char problem[512];
    json_t *command = json_pack("{s:s}", "command", "status");
    json_t *status = command_send(config_path, command, problem, sizeof problem);
    const char *address = json_string_value(json_object_get(status, "address"));
    if (address != NULL)
        origin_of(place, address, json_is_true(json_object_get(status, "tls")));
    else
        failure("%s. `edge dev` starts one; --url names another", problem);
    json_decref(command);
    json_decref(status);
    return address != NULL;
}

void host_place_apply(CURL *handle, const struct host_place *place, const char *path)
{
    char url[4096];
    snprintf(url, sizeof url, "%s%s", place->origin, path);
    curl_easy_setopt(handle, CURLOPT_URL, url);
    if (place->socket[0] != '\0')
        curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, place->socket);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    if (place->cacert != NULL)
        curl_easy_setopt(handle, CURLOPT_CAINFO, place->cacert);
    if (place->insecure) {
        curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

void host_place_failed(const struct host_place *place, const char *path, CURLcode code, const char *detail)
{
    const char *help = "";
    if (code == CURLE_COULDNT_CONNECT)
        help = ". Is the host running?";
    else if (code == CURLE_PEER_FAILED_VERIFICATION)
        help = ". --cacert FILE trusts the certificates in a file, --insecure any";
    else if (code == CURLE_SSL_CACERT_BADFILE)
        help = ". --cacert wants certificates in PEM";
    failure("%s%s: %s%s", place->socket[0] != '\0' ? place->socket : place->origin, path,
        *detail != '\0' ? detail : curl_easy_strerror(code), help);
}

static void append(char **text, size_t *length, const char *bytes, size_t count)
{
    char *grown = realloc(*text, *length + count + 1);
    if (grown == NULL)
        abort();
    memcpy(grown + *length, bytes, count);
    *length += count;
    grown[*length] = '\0';
    *text = grown;
}

/* The value of a head's line when it is of this field. */
static void take_field(const char *line, size_t length, const char *name, char *value, size_t size)
{
    size_t skipped = strlen(name);
    if (length <= skipped || strncasecmp(line, name, skipped) != 0 || line[skipped] != ':')
        return;
    const char *at = line + skipped + 1, *end = line + length;
    while (at < end && *at == ' ')
        at++;
    while (end > at && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
        end--;
    snprintf(value, size, "%.*s", (int)(end - at), at);
}

static size_t on_head(char *line, size_t one, size_t length, void *arg)
{
    struct host_call *call = arg;
    (void)one;
    /* An interim answer (100) has a head of its own. */
    if (length > 5 && strncmp(line, "HTTP/", 5) == 0)
        call->head_length = 0;
    append(&call->head, &call->head_length, line, length);
    take_field(line, length, "x-function-version", call->generation, sizeof call->generation);
    take_field(line, length, "x-request-id", call->request_id, sizeof call->request_id);
    take_field(line, length, "content-type", call->content_type, sizeof call->content_type);
    return length;
}

static size_t on_bytes(char *bytes, size_t one, size_t length, void *arg)
{
    struct host_call *call = arg;
    (void)one;
    if (call->on_body != NULL)
        call->on_body(call, bytes, length);
    else
        append(&call->text, &call->text_length, bytes, length);
    return length;
}

int host_call_make(struct host_call *call)
{
    CURL *handle = curl_easy_init();
    if (handle == NULL)
        abort();
    host_place_apply(handle, call->place, call->path);
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, call->method);
    if (call->body != NULL) {
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call->body);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->length);
    }
    curl_easy_setopt(handle, CURLOPT_NOBODY, strcmp(call->method, "HEAD") == 0 ? 1L : 0L);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, call);

    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
    int64_t began = process_clock_ms();
    CURLcode code = curl_easy_perform(handle);
    call->duration_ms = process_clock_ms() - began;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &call->status);
    curl_easy_cleanup(handle);
    if (code != CURLE_OK)
        host_place_failed(call->place, call->path, code, detail);
    return (int)code;
}

void host_call_free(struct host_call *call)
{
    free(call->head);
    free(call->text);
}
