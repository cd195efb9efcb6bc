/*
 * edge invoke: calls a function of the running host.
 */
#include "cli/invoke.h"

#include "cli/development_environment.h"
#include "cli/development_token.h"
#include "cli/input.h"
#include "cli/json_print.h"
#include "cli/terminal.h"
#include "config/config.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USER_BY_DEFAULT "user_demo"

enum {
    BODY_MAX = 1 << 30,
    TOKEN_LIFETIME_MS = 10 * 60 * 1000,
    COUNT_MAX = 1000000
};

void invoke_summary(const struct host_call *call)
{
    const char *colour = call->status < 300   ? terminal_green(STDERR_FILENO)
                         : call->status < 500 ? terminal_yellow(STDERR_FILENO)
                                              : terminal_red(STDERR_FILENO);
    fflush(stdout);
    fprintf(stderr, "%s%ld%s  %lld ms", colour, call->status, terminal_plain(STDERR_FILENO),
        (long long)call->duration_ms);
    if (call->generation[0] != '\0')
        fprintf(stderr, "  generation %.12s", call->generation);
    if (call->request_id[0] != '\0')
        fprintf(stderr, "  request %s", call->request_id);
    fputc('\n', stderr);
}

json_t *invoke_fields(const struct host_call *call)
{
    json_t *fields = json_object();
    for (const char *line = call->head; line != NULL && *line != '\0';) {
        const char *end = strstr(line, "\r\n");
        const char *colon = end == NULL ? NULL : memchr(line, ':', (size_t)(end - line));
        if (colon != NULL) {
            char name[256];
            size_t length = 0;
            for (const char *at = line; at < colon && length < sizeof name - 1; at++)
                name[length++] = (char)tolower((unsigned char)*at);
            name[length] = '\0';
            const char *value = colon + 1 + strspn(colon + 1, " ");
            json_object_set_new(fields, name, json_stringn(value, (size_t)(end - value)));
        }
        line = end == NULL ? NULL : end + 2;
    }
    return fields;
}

static void print_json(const struct host_call *call)
{
    json_t *body = json_loadb(call->text != NULL ? call->text : "", call->text_length, JSON_DECODE_ANY, NULL);
    if (body == NULL && call->text != NULL)
        body = json_stringn(call->text, call->text_length);
    json_t *answer = json_pack("{s:I, s:I, s:s*, s:s*, s:o, s:o?}", "status", (json_int_t)call->status,
        "durationMs", (json_int_t)call->duration_ms, "generation",
        call->generation[0] != '\0' ? call->generation : NULL, "requestId",
        call->request_id[0] != '\0' ? call->request_id : NULL, "headers", invoke_fields(call), "body", body);
    json_print(stdout, answer);
    putchar('\n');
    json_decref(answer);
}

/* For somebody who reads along JSON is indented; what is not read by people stays as it came. */
static void print_body(const struct host_call *call)
{
    bool read_along = isatty(STDOUT_FILENO);
    json_t *value = read_along && strncmp(call->content_type, "application/json", 16) == 0 && call->text != NULL
                        ? json_loadb(call->text, call->text_length, JSON_DECODE_ANY, NULL)
                        : NULL;
    if (value != NULL)
        json_print_indented(stdout, value);
    else
        fwrite(call->text != NULL ? call->text : "", 1, call->text_length, stdout);
    if (read_along || strncmp(call->content_type, "application/json", 16) == 0)
        putchar('\n');
    json_decref(value);
}

static int invoke_once(struct invoke *invoke, const char *body, size_t length)
{
    struct host_call call = { .place = &invoke->place,
        .path = invoke->path,
        .method = invoke->method,
        .headers = invoke->fields,
        .body = body,
        .length = length };
    int code = host_call_make(&call);
    if (code == 0 && invoke->json) {
        print_json(&call);
    } else if (code == 0) {
        if (invoke->include)
            fwrite(call.head, 1, call.head_length, stdout);
        print_body(&call);
        invoke_summary(&call);
    }
    bool done = code == 0 && call.status >= 200 && call.status < 300;
    host_call_free(&call);
    return done ? STATUS_DONE : STATUS_FAILED;
}

static void add_field(struct invoke *invoke, const char *name, const char *value)
{
    char *line = NULL;
    if (asprintf(&line, "%s: %s", name, value) < 0)
        abort();
    invoke->fields = curl_slist_append(invoke->fields, line);
    free(line);
}

static bool has_field(const struct invoke *invoke, const char *name)
{
    size_t length = strlen(name);
    for (int i = 0; i < invoke->headers.count; i++)
        if (strncasecmp(invoke->headers.items[i], name, length) == 0 && invoke->headers.items[i][length] == ':')
            return true;
    return false;
}

/* Puts the function's route, or a path as it is, into the call. False after saying that there is no such one.
 */
static bool find_path(
    struct invoke *invoke, const struct config *config, const struct function_config **function)
{
    *function = config != NULL ? config_function(config, invoke->target) : NULL;
    const char *path = *function != NULL ? (*function)->route : invoke->target;
    bool pattern = *function != NULL && strpbrk(path, "*{") != NULL;
    if (pattern)
        return failure("\"%s\" is served at \"%s\". Say a path of it: edge invoke /…", invoke->target, path) ==
               STATUS_DONE;
    if (*function == NULL && *path != '/' && config != NULL && invoke->url == NULL)
        return function_named(config, path);
    snprintf(invoke->path, sizeof invoke->path, "%s%s", *path == '/' ? "" : "/functions/v1/", path);
    return true;
}

/* Who calls when the command does not say: whom the function is there for. */
static void choose_caller(
    struct invoke *invoke, const struct config *config, const struct function_config *function)
{
    bool said =
        invoke->user != NULL || invoke->service || invoke->anonymous || has_field(invoke, "authorization");
    if (said || function == NULL)
        return;
    enum auth_mode auth = function->auth;
    if (auth == AUTH_SERVICE)
        invoke->service = config->auth.service_key != NULL;
    else if (auth == AUTH_ADMIN || auth == AUTH_USER || auth == AUTH_USER_OR_SERVICE)
        invoke->user = config->auth.development_key == NULL ? NULL
                       : auth == AUTH_ADMIN                 ? "user_admin"
                                                            : USER_BY_DEFAULT;
    if (invoke->user != NULL)
        fprintf(stderr, "%sas %s (--as names another)%s\n", terminal_dim(STDERR_FILENO), invoke->user,
            terminal_plain(STDERR_FILENO));
}

static bool add_caller(struct invoke *invoke, const struct config *config)
{
    char *value = NULL;
    if (invoke->service) {
        if (config == NULL || config->auth.service_key == NULL)
            return failure("no service key is configured: EDGE_SERVICE_KEY, or [auth] service_key") ==
                   STATUS_DONE;
        if (asprintf(&value, "Bearer %s", config->auth.service_key) < 0)
            abort();
    } else if (invoke->user != NULL) {
        if (config == NULL || config->auth.development_key == NULL)
            return failure(
                       "\"%s\" has no development issuer, and only that one's tokens are made here. `edge dev` "
                       "sets one up; a token of your own goes into --header 'Authorization: Bearer …'",
                       invoke->config) == STATUS_DONE;
        char *token = development_token(config, invoke->user, TOKEN_LIFETIME_MS);
        if (token == NULL || asprintf(&value, "Bearer %s", token) < 0)
            return false;
        free(token);
    }
    if (value != NULL)
        add_field(invoke, "Authorization", value);
    free(value);
    return true;
}

static bool prepare(struct invoke *invoke, const struct config *config)
{
    const struct function_config *function;
    if (!find_path(invoke, config, &function) || !host_place_find(invoke->config, invoke->url, &invoke->place))
        return false;
    choose_caller(invoke, config, function);
    if (!add_caller(invoke, config))
        return false;
    for (int i = 0; i < invoke->headers.count; i++)
        invoke->fields = curl_slist_append(invoke->fields, invoke->headers.items[i]);
    if (!has_field(invoke, "content-type") && !invoke->ws)
        add_field(invoke, "Content-Type", "application/json");
    if (invoke->stream && !has_field(invoke, "accept"))
        add_field(invoke, "Accept", "text/event-stream");
    /* curl would wait for the host's consent to a large body. */
    add_field(invoke, "Expect", "");
    return true;
}

/* JSON as it stands, "@file", or "-"; to be freed. NULL: it cannot be read. */
static char *body_take(const struct invoke *invoke, size_t *length)
{
    const char *input = invoke->input;
    if (input == NULL)
        input = invoke->ws ? "-" : "{}";
    if (strcmp(input, "-") == 0)
        return input_read("-", BODY_MAX, length);
    if (*input == '@')
        return input_read(input + 1, BODY_MAX, length);
    *length = strlen(input);
    return strdup(input);
}

static int perform(struct invoke *invoke)
{
    bool bodiless =
        invoke->input == NULL && (strcmp(invoke->method, "GET") == 0 || strcmp(invoke->method, "HEAD") == 0);
    bool interactive = invoke->ws && (invoke->input == NULL || strcmp(invoke->input, "-") == 0);
    if (interactive)
        return invoke_ws(invoke, NULL);
    size_t length = 0;
    char *body = bodiless ? NULL : body_take(invoke, &length);
    if (body == NULL && !bodiless)
        return STATUS_FAILED;
    int status = invoke->ws       ? invoke_ws(invoke, body)
                 : invoke->stream ? invoke_stream(invoke, body, length)
                                  : invoke_once(invoke, body, length);
    free(body);
    return status;
}

/* The configuration as the host has it, with what `edge dev` has left beside it; NULL when --url does without.
 */
static bool configuration(const struct invoke *invoke, struct config **config)
{
    *config = NULL;
    if (invoke->url != NULL && access(invoke->config, R_OK) != 0)
        return true;
    if (!config_open(invoke->config, config))
        return false;
    if ((*config)->auth.development_key == NULL && development_environment_load(invoke->config)) {
        config_free(*config);
        return config_open(invoke->config, config);
    }
    return true;
}

static int check(struct invoke *invoke)
{
    if (invoke->target == NULL)
        return usage_error(&invoke_command, "say which function: edge invoke computePulse '{}'");
    if ((invoke->user != NULL) + invoke->service + invoke->anonymous > 1)
        return usage_error(&invoke_command, "--as, --service and --anonymous: choose one");
    if (invoke->stream && invoke->ws)
        return usage_error(&invoke_command, "--stream and --ws: choose one");
    if (invoke->count != NULL && !count_parse(invoke->count, COUNT_MAX, &invoke->messages))
        return usage_error(
            &invoke_command, "--count is \"%s\", not a whole number from 1 to %d", invoke->count, COUNT_MAX);
    for (int i = 0; i < invoke->headers.count; i++)
        if (strchr(invoke->headers.items[i], ':') == NULL || strpbrk(invoke->headers.items[i], "\r\n") != NULL)
            return usage_error(&invoke_command, "--header is \"%s\", not NAME:VALUE", invoke->headers.items[i]);
    return OPTIONS_READ;
}

static int run(int argc, char **argv)
{
    struct invoke invoke = { .config = "functions.toml", .method = "POST" };
    struct cli_list operands = { 0 };
    const struct cli_option options[] = {
        { NULL, "NAME [JSON|@FILE|-]", "the function, or a path as /_edge/ready; its body ({} when left out)",
            .list = &operands },
        { "as", "USER", "call as this user, by a token of the development issuer", .text = &invoke.user },
        { "service", NULL, "call with the service key", .flag = &invoke.service },
        { "anonymous", NULL, "call as nobody", .flag = &invoke.anonymous },
        { "stream", NULL, "ask for server-sent events, print one a line", .flag = &invoke.stream },
        { "ws", NULL, "open a WebSocket: send each line, print each message", .flag = &invoke.ws },
        { "count", "N", "--ws: close after so many messages", .text = &invoke.count },
        { "header", "NAME:VALUE", "one more header field; may be repeated", .list = &invoke.headers },
        { "method", "METHOD", "instead of POST", .text = &invoke.method },
        { "url", "ORIGIN", "where the host is, as https://localhost:8443 or unix:/path (the running host)",
            .text = &invoke.url },
        { "cacert", "FILE", "trust the certificates in this file, PEM", .text = &invoke.place.cacert },
        { "insecure", NULL, "trust any certificate", .flag = &invoke.place.insecure },
        { "include", NULL, "print the answer's head, too", .flag = &invoke.include },
        { "json", NULL, "print status, time, head and body as one JSON object", .flag = &invoke.json },
        { "config", "FILE", "the configuration (functions.toml)", .text = &invoke.config },
        { 0 },
    };
    int status = options_read(&invoke_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    invoke.target = operands.count > 0 ? operands.items[0] : NULL;
    invoke.input = operands.count > 1 ? operands.items[1] : NULL;
    if (operands.count > 2)
        return usage_error(&invoke_command, "\"%s\" is one too many", operands.items[2]);
    status = check(&invoke);
    if (status != OPTIONS_READ)
        return status;

    struct config *config;
    if (!configuration(&invoke, &config))
        return STATUS_FAILED;
    status = prepare(&invoke, config) ? perform(&invoke) : STATUS_FAILED;
    curl_slist_free_all(invoke.fields);
    config_free(config);
    return status;
}

const struct command invoke_command = {
    .name = "invoke",
    .summary = "Call a function of the running host",
    .details =
        "The body goes to standard output; status, time, build and request id to standard error. The exit\n"
        "status is 0 for 2xx and 1 otherwise, also when a stream ends with an event \"error\". Who calls, "
        "when\n"
        "nothing says so, is whom the function is there for: user_demo, the service, nobody.\n",
    .examples = "  edge invoke computePulse\n"
                "  edge invoke createTask '{\"title\": \"Call Ann\"}' --as user_demo\n"
                "  edge invoke importContacts @contacts.csv --header 'Content-Type: text/csv'\n"
                "  echo '{\"userPrompt\": \"Hello\"}' | edge invoke copilotChat - --stream\n"
                "  edge invoke computePulse --service '{\"userId\": \"user_demo\"}' --json\n"
                "  edge invoke /_edge/ready --method GET --anonymous\n"
                "  edge invoke hello --url https://localhost:8443 --cacert cert.pem\n",
    .run = run,
};
