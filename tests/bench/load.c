/*
 * bench_load: applies load to a server on this machine and prints what came of it as one line of JSON. Every
 * answer is checked; the first that is wrong ends it with status 1.
 *
 *     bench_load --port N --requests FILE --expect TEXT [OPTION...]
 *
 *     --connections N     keep-alive connections, default 32
 *     --warmup SECONDS    not measured, default 1
 *     --seconds SECONDS   measured, default 3
 *     --rate N            requests a second; without it as many as the server answers
 *     --websocket         the first of the requests opens a WebSocket, the others are messages
 *     --cpu NAME=PID,...  measures the CPU time of these processes; several times for several groups
 *     --hold              sends one request on each connection, says "ready", and keeps them until its input
 * ends
 */
#include "load.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

void load_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench_load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static struct load_group group_of(char *text)
{
    struct load_group group = { .name = strsep(&text, "=") };
    for (char *pid; text != NULL && (pid = strsep(&text, ",")) != NULL;) {
        if (group.count == LOAD_GROUP_PIDS)
            load_die("group \"%s\" has more than %d processes", group.name, LOAD_GROUP_PIDS);
        group.pids[group.count++] = atoi(pid);
    }
    return group;
}

static const struct option known[] = {
    { "port", required_argument, NULL, 'p' },
    { "requests", required_argument, NULL, 'f' },
    { "expect", required_argument, NULL, 'e' },
    { "connections", required_argument, NULL, 'c' },
    { "warmup", required_argument, NULL, 'w' },
    { "seconds", required_argument, NULL, 's' },
    { "rate", required_argument, NULL, 'r' },
    { "websocket", no_argument, NULL, 'W' },
    { "cpu", required_argument, NULL, 'u' },
    { "hold", no_argument, NULL, 'h' },
    { 0 },
};

static bool set_option(struct load *load, const char **requests, int option)
{
    switch (option) {
    case 'p':
        load->port = (uint16_t)atoi(optarg);
        return true;
    case 'f':
        *requests = optarg;
        return true;
    case 'e':
        load->expected = optarg;
        return true;
    case 'c':
        load->connection_count = strtoul(optarg, NULL, 10);
        return true;
    case 'w':
        load->warmup_s = strtod(optarg, NULL);
        return true;
    case 's':
        load->window_s = strtod(optarg, NULL);
        return true;
    case 'r':
        load->rate = strtod(optarg, NULL);
        return true;
    case 'W':
        return load->websocket = true;
    case 'h':
        return load->hold = true;
    case 'u':
        if (load->group_count == LOAD_CPU_GROUPS)
            load_die("more than %d groups", LOAD_CPU_GROUPS);
        load->groups[load->group_count++] = group_of(optarg);
        return true;
    }
    return false;
}

static void allow_descriptors(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static double us_at(const struct load *load, double share)
{
    return (double)latency_at(&load->latency, share) / 1e3;
}

static void report(const struct load *load)
{
    uint64_t count = load->latency.count;
    if (count == 0)
        load_die("no request was answered");
    printf("{\"requests\":%lu,\"seconds\":%.6f,\"p50Us\":%.2f,\"p99Us\":%.2f,\"p999Us\":%.2f,\"maxUs\":%.2f,",
        (unsigned long)count, load->measured_s, us_at(load, 0.5), us_at(load, 0.99), us_at(load, 0.999),
        us_at(load, 1));
    printf("\"generatorCpuUs\":%.0f,\"cpuUs\":{", (double)load->own_cpu_ns / 1e3);
    for (size_t i = 0; i < load->group_count; i++)
        printf("%s\"%s\":%.0f", i > 0 ? "," : "", load->groups[i].name, (double)load->groups[i].cpu_ns / 1e3);
    puts("}}");
}

int main(int argc, char **argv)
{
    static struct load load = { .connection_count = 32, .warmup_s = 1, .window_s = 3 };
    const char *requests = NULL;
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;)
        if (!set_option(&load, &requests, option))
            return 2;
    if (load.port == 0 || requests == NULL || load.expected == NULL)
        load_die("--port, --requests and --expect are needed");
    allow_descriptors();
    load_read_requests(&load, requests);
    load_run(&load);
    if (!load.hold)
        report(&load);
    return 0;
}
