/*
 * The gate's child; see gate.h. It is its own process: nothing that a plugin does to it harms the supervisor.
 */
#include "supervisor/gate_child.h"

#include "plugin/plugin.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define DATABASE_SECONDS "3"

enum {
    NICE = 5 /* requests go first while a build is tried */
};

struct looking {
    const struct gate *gate;
    int to;
    size_t index;
    struct gate_answer answer;
    PGconn *database; /* opened for the first plugin that declares statements */
    bool database_asked;
};

static void say(struct looking *looking, enum gate_answer_kind kind)
{
    looking->answer.kind = kind;
    looking->answer.index = looking->index;
    ssize_t written = write(looking->to, &looking->answer, sizeof looking->answer);
    if (written != (ssize_t)sizeof looking->answer)
        _exit(0); /* nobody listens any more */
}

static void begin(struct looking *looking, const char *step)
{
    snprintf(looking->answer.step, sizeof looking->answer.step, "%s", step);
    say(looking, GATE_STEP);
}

static int thread_count(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;
    const struct dirent *entry;
    while (tasks != NULL && (entry = readdir(tasks)) != NULL)
        count += entry->d_name[0] != '.';
    if (tasks != NULL)
        closedir(tasks);
    return count;
}

static bool database_reached(struct looking *looking)
{
    if (!looking->database_asked && looking->gate->database_url != NULL) {
        const char *const keys[] = { "dbname", "connect_timeout", NULL };
        const char *const values[] = { looking->gate->database_url, DATABASE_SECONDS, NULL };
        looking->database = PQconnectdbParams(keys, values, 1);
    }
    looking->database_asked = true;
    return looking->database != NULL && PQstatus(looking->database) == CONNECTION_OK;
}

/* False when the database refuses one, with its words in reason. */
static bool prepare_statements(
    struct looking *looking, const edge_function *function, const struct candidate *candidate)
{
    const char *const *statement = function->sql;
    char *reason = looking->answer.reason;
    if (statement == NULL || *statement == NULL)
        return true;
    begin(looking, "its statements' check");
    if (!database_reached(looking)) {
        snprintf(reason, GATE_REASON_BYTES, "its statements could not be checked: no database");
        return true;
    }
    for (; *statement != NULL; statement++) {
        PGresult *result = PQprepare(looking->database, "", *statement, 0, NULL);
        bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
        const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        if (!ok)
            snprintf(reason, GATE_REASON_BYTES,
                "%s declares a statement that does not fit the database: %s: %.200s", candidate->shown,
                said != NULL ? said : "it broke the connection", *statement);
        PQclear(result);
        if (!ok)
            return false;
    }
    return true;
}

static bool is_alone(struct looking *looking, const struct candidate *candidate)
{
    if (thread_count() == 1)
        return true;
    snprintf(looking->answer.reason, GATE_REASON_BYTES,
        "%s starts threads: a worker has one. Use edge_spawn (edge/task.h)", candidate->shown);
    return false;
}

static bool self_test(struct looking *looking, const edge_function *function, const struct candidate *candidate)
{
    if (function->self_test == NULL)
        return true;
    begin(looking, "self_test");
    int result = function->self_test();
    if (result != 0)
        snprintf(
            looking->answer.reason, GATE_REASON_BYTES, "%s: self_test answered %d", candidate->shown, result);
    return result == 0 && is_alone(looking, candidate);
}

static bool look(struct looking *looking, const struct candidate *candidate)
{
    const struct plugin_source source = { candidate->name, candidate->file, candidate->shown };
    struct plugin *plugin = NULL;
    struct load_error error = { "" };
    begin(looking, "being loaded");
    int result = plugin_open(&source, &plugin, &error);
    if (result == 0) {
        snprintf(looking->answer.id, sizeof looking->answer.id, "%s", plugin->id);
        begin(looking, "init");
        result = plugin_start(plugin, &source, &error);
    }
    if (result < 0) {
        snprintf(looking->answer.reason, GATE_REASON_BYTES, "%.500s", error.text);
        return false;
    }
    return is_alone(looking, candidate) && self_test(looking, &plugin->descriptor, candidate) &&
           prepare_statements(looking, &plugin->descriptor, candidate);
}

/* Dies with the supervisor, leaves no core behind, and has the dispositions that a worker has. */
static void settle(pid_t parent)
{
    static const int defaults[] = { SIGTERM, SIGCHLD, SIGUSR2, SIGINT };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    prctl(PR_SET_NAME, "gate");
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    setpriority(PRIO_PROCESS, 0, NICE);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        signal(defaults[i], i < 3 ? SIG_DFL : SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void gate_child_run(const struct gate *gate, int to, pid_t parent)
{
    struct looking looking = { .gate = gate, .to = to };
    settle(parent);
    for (size_t i = 0; i < gate->count; i++) {
        const struct candidate *candidate = &gate->candidates[i];
        if (candidate->decided)
            continue;
        looking.index = i;
        memset(&looking.answer, 0, sizeof looking.answer);
        bool accepted = look(&looking, candidate);
        say(&looking, accepted ? GATE_ACCEPTED : GATE_REFUSED);
    }
    _exit(0);
}
