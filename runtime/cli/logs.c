/*
 * edge logs: the log of the running host, read from its memory (log_ring.h).
 */
#include "cli/command.h"
#include "cli/json_print.h"
#include "cli/process.h"
#include "cli/terminal.h"
#include "config/units.h"
#include "supervisor/command.h"

#include <log_ring.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_BYTES = 4097,
    POLL_MS = 100,
    LOOK_MS = 2000, /* whether the host that is followed is still the same */
    LINES_MAX = 100000
};

static const char *const level_names[] = { "debug", "info", "warn", "error", NULL };

struct request {
    const char *config, *function, *level, *request_id, *since, *lines;
    bool follow, json;
    int lowest;        /* of level_names */
    int count;         /* the newest so many; 0: all */
    char earliest[32]; /* ISO 8601, empty: any */
};

/* Lines that fit, before they are printed: the newest of them in a circle. */
struct kept {
    char **lines;
    int room, count, next;
};

static int level_of(const char *name)
{
    for (int i = 0; name != NULL && level_names[i] != NULL; i++)
        if (strcmp(level_names[i], name) == 0)
            return i;
    return -1;
}

static bool equals(const json_t *line, const char *key, const char *wanted)
{
    const char *value = json_string_value(json_object_get(line, key));
    return wanted == NULL || (value != NULL && strcmp(value, wanted) == 0);
}

static bool fits(const struct request *request, const json_t *line)
{
    const char *time = json_string_value(json_object_get(line, "ts"));
    return level_of(json_string_value(json_object_get(line, "level"))) >= request->lowest && time != NULL &&
           strcmp(time, request->earliest) >= 0 && equals(line, "function", request->function) &&
           equals(line, "requestId", request->request_id);
}

/* 12:34:56.789 of the local day; the log's times are UTC. */
static void print_time(const char *text)
{
    struct tm utc = { 0 }, local;
    const char *rest = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    if (rest == NULL)
        return;
    time_t seconds = timegm(&utc);
    localtime_r(&seconds, &local);
    printf("%s%02d:%02d:%02d%.4s%s ", terminal_dim(STDOUT_FILENO), local.tm_hour, local.tm_min, local.tm_sec,
        rest, terminal_plain(STDOUT_FILENO));
}

/* Words as they are, everything else as JSON, which escapes what a terminal would obey. */
static void print_value(const json_t *value)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+%,*";
    const char *text = json_string_value(value);
    if (text != NULL && *text != '\0' && strspn(text, word) == strlen(text))
        fputs(text, stdout);
    else
        json_print_safely(value);
}

static void print_text(json_t *line)
{
    static const char *const labels[] = { "DEBUG", "INFO ", "WARN ", "ERROR" };
    int fd = STDOUT_FILENO, level = level_of(json_string_value(json_object_get(line, "level")));
    const char *colours[] = { terminal_dim(fd), terminal_green(fd), terminal_yellow(fd), terminal_red(fd) };
    print_time(json_string_value(json_object_get(line, "ts")));
    printf("%s%s%s %s ", colours[level], labels[level], terminal_plain(fd),
        json_string_value(json_object_get(line, "source")));
    print_value(json_object_get(line, "event"));

    static const char *const said[] = { "ts", "level", "source", "event", "generation", NULL };
    const char *key;
    json_t *value;
    json_object_foreach(line, key, value)
    {
        bool shown = true;
        for (int i = 0; said[i] != NULL; i++)
            shown = shown && strcmp(said[i], key) != 0;
        if (!shown)
            continue;
        printf(" %s%s=%s", terminal_dim(fd), key, terminal_plain(fd));
        print_value(value);
    }
    putchar('\n');
}

static void print_line(const struct request *request, const char *text)
{
    if (request->json) {
        puts(text);
        return;
    }
    json_t *line = json_loads(text, 0, NULL);
    print_text(line);
    json_decref(line);
}

static bool text_fits(const struct request *request, const char *text)
{
    json_t *line = json_loads(text, 0, NULL);
    bool fit = line != NULL && fits(request, line);
    json_decref(line);
    return fit;
}

static void keep(struct kept *kept, const char *text)
{
    if (kept->count < kept->room)
        kept->count++;
    free(kept->lines[kept->next]);
    kept->lines[kept->next] = strdup(text);
    kept->next = (kept->next + 1) % kept->room;
}

/* What is in the log by now; the newest lines of those that fit. */
static void print_past(const struct request *request, struct log_ring_reader *reader)
{
    struct kept kept = { .room = request->count };
    char text[LINE_BYTES];
    kept.lines = calloc((size_t)kept.room, sizeof *kept.lines);
    if (kept.lines == NULL)
        abort();
    while (log_ring_next(reader, text))
        if (text_fits(request, text))
            keep(&kept, text);
    for (int i = 0; i < kept.count; i++) {
        int place = (kept.next + kept.room - kept.count + i) % kept.room;
        print_line(request, kept.lines[place]);
    }
    for (int i = 0; i < kept.room; i++)
        free(kept.lines[i]);
    free(kept.lines);
}

/* The host's log as it is now: its inode tells an upgraded host's from the one before. 0 or why not. */
static int log_open_now(const struct request *request, struct log_ring_reader *reader, ino_t *inode, bool quiet)
{
    char problem[512];
    struct stat status;
    int fd = command_log(request->config, problem, sizeof problem);
    if (fd < 0)
        return quiet ? STATUS_FAILED : failure("%s", problem);
    bool same = fstat(fd, &status) == 0 && status.st_ino == *inode;
    int result = 0;
    if (!same) {
        log_ring_detach(reader);
        result = log_ring_attach(fd, reader);
        *inode = status.st_ino;
    }
    close(fd);
    return result == 0 ? STATUS_DONE : failure("the host's log cannot be read: %s", strerror(-result));
}

static bool print_come(const struct request *request, struct log_ring_reader *reader)
{
    char text[LINE_BYTES];
    bool any = false;
    uint64_t lost = reader->lost;
    for (; log_ring_next(reader, text); any = true)
        if (text_fits(request, text))
            print_line(request, text);
    if (reader->lost != lost)
        fprintf(stderr, "edge: lines came faster than they were read; some are not shown\n");
    return any;
}

/* Prints what comes until the host ends. */
static void print_new(const struct request *request, struct log_ring_reader *reader, ino_t *inode)
{
    int64_t looked = process_clock_ms();
    while (fflush(stdout) == 0) {
        if (print_come(request, reader))
            continue;
        if (process_clock_ms() - looked > LOOK_MS) {
            looked = process_clock_ms();
            if (log_open_now(request, reader, inode, true) != STATUS_DONE) {
                print_come(request, reader);
                return;
            }
        }
        process_sleep_ms(POLL_MS);
    }
}

/* A function that has been taken out may be in the log still, so a name that is none is only remarked on. */
static void check_function(const struct request *request)
{
    struct config *config;
    struct config_error error;
    if (request->function == NULL || config_load(request->config, &config, &error) != 0)
        return;
    function_named(config, request->function);
    config_free(config);
}

static int show(const struct request *request)
{
    struct log_ring_reader reader = { 0 };
    ino_t inode = 0;
    if (log_open_now(request, &reader, &inode, false) != STATUS_DONE)
        return STATUS_FAILED;
    check_function(request);
    print_past(request, &reader);
    if (request->follow)
        print_new(request, &reader, &inode);
    fflush(stdout);
    log_ring_detach(&reader);
    return STATUS_DONE;
}

/* Minutes are "min" in functions.toml, and "m" to everybody's fingers. */
static bool since_parse(const char *text, int64_t *since_ms)
{
    char longer[32];
    size_t length = strlen(text);
    bool minutes = length > 1 && length < 16 && text[length - 1] == 'm' && text[length - 2] != 'm';
    snprintf(longer, sizeof longer, "%s%s", length < 16 ? text : "", minutes ? "in" : "");
    return duration_parse(longer, since_ms);
}

static int check(struct request *request)
{
    int64_t since_ms = 0;
    request->lowest = request->level == NULL ? 0 : level_of(request->level);
    if (request->lowest < 0)
        return usage_error(&logs_command, "--level is \"%s\", not debug, info, warn or error", request->level);
    if (request->since != NULL && !since_parse(request->since, &since_ms))
        return usage_error(&logs_command, "--since is \"%s\", not a duration as 30s, 5m or 1h", request->since);
    request->count = request->since != NULL || request->request_id != NULL ? LINES_MAX : 100;
    if (request->lines != NULL && !count_parse(request->lines, LINES_MAX, &request->count))
        return usage_error(
            &logs_command, "--lines is \"%s\", not a whole number from 1 to %d", request->lines, LINES_MAX);
    if (request->since != NULL) {
        time_t earliest = time(NULL) - (time_t)(since_ms / 1000);
        struct tm utc;
        strftime(request->earliest, sizeof request->earliest, "%Y-%m-%dT%H:%M:%S", gmtime_r(&earliest, &utc));
    }
    return OPTIONS_READ;
}

static int run(int argc, char **argv)
{
    struct request request = { .config = "functions.toml" };
    const struct cli_option options[] = {
        { "follow", NULL, "go on with what comes, until the host ends", .flag = &request.follow,
            .letter = 'f' },
        { "function", "NAME", "only lines of this function", .text = &request.function },
        { "level", "LEVEL", "only lines of debug, info, warn or error, and above", .text = &request.level },
        { "request", "ID", "only lines of this request (x-request-id)", .text = &request.request_id },
        { "since", "DURATION", "only lines of the last 30s, 5m, 1h", .text = &request.since },
        { "lines", "N", "the newest so many (100; with --since or --request all)", .text = &request.lines },
        { "json", NULL, "print lines as the host writes them", .flag = &request.json },
        { "config", "FILE", "the configuration (functions.toml)", .text = &request.config },
        { 0 },
    };
    int status = options_read(&logs_command, options, argc, argv);
    if (status == OPTIONS_READ)
        status = check(&request);
    return status == OPTIONS_READ ? show(&request) : status;
}

const struct command logs_command = {
    .name = "logs",
    .summary = "Show the running host's log, or follow it",
    .details =
        "A host keeps the newest 4 MiB of its log in memory (some 8000 requests), also when its standard "
        "error\n"
        "goes elsewhere; reading it costs the host nothing. The host's log_level decides what there is.\n",
    .examples = "  edge logs\n"
                "  edge logs -f --function computePulse\n"
                "  edge logs --level warn --since 1h\n"
                "  edge logs --request 0f9d8c7b-6a5e-4d3c-8b2a-19081726354f --json\n",
    .run = run,
};
