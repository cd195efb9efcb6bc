/*
 * analyzeRolePlaySession: has a finished training call evaluated by a model, and keeps the report and the
 * user's progress. A session has one report: its id is made of the session's, so a second call finds it and
 * costs nothing.
 *
 * One round trip for a report that is there; else two more around one or two questions to the model.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/gateway.h"
#include "lib/role_play.h"
#include "lib/role_play_report.h"
#include "lib/score.h"

enum {
    MODEL_MS = 60000,
    THRESHOLD = 70,
};

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose session; the service may leave it out" },
    { "sessionId", EDGE_UUID, .required = true, .help = "Session to evaluate" },
    { "force", EDGE_BOOL, .fallback = "false", .help = "Evaluate again, and replace the report" },
    { 0 },
};

static const edge_field text_item = { .type = EDGE_TEXT };
static const edge_field report_fields[] = {
    { "id", EDGE_UUID, .required = true, .help = "The report" },
    { "user_id", EDGE_TEXT, .required = true, .help = "Whose call" },
    { "session_id", EDGE_UUID, .required = true, .help = "Which call" },
    { "overall_score", EDGE_INT, 0, 100, .help = "How good it was" },
    { "overall_result", EDGE_ENUM, .values = role_play_results, .help = "Whether it was passed" },
    { "strengths", EDGE_ARRAY, .items = &text_item, .help = "What was good" },
    { "areas_for_improvement", EDGE_ARRAY, .items = &text_item, .help = "What was not" },
    { "detailed_feedback", EDGE_TEXT, .help = "All of it in words" },
    { "metrics", EDGE_OBJECT, .fields = role_play_metrics_fields, .help = "Criteria and objections" },
    { "created_at", EDGE_DATETIME, .help = "When it was evaluated first" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "report", EDGE_OBJECT, .fields = report_fields, .required = true, .help = "As it is stored" },
    { "durationMinutes", EDGE_INT, .help = "How long the call was" },
    { "successCriteria", EDGE_ARRAY, .items = &text_item, .required = true, .help = "Of the scenario" },
    { "reused", EDGE_BOOL, .required = true, .help = "Whether the report was there already" },
    { 0 },
};

/* What is read before anything is decided, in one round trip. */
enum {
    SESSION,
    REPORT,
    READS
};

#define REPORT_COLUMNS                                                                                         \
    "id, user_id, session_id, overall_score, overall_result, strengths, areas_for_improvement,"                \
    " detailed_feedback, metrics, created_at"

/* As the user, who sees own sessions only; as the service for a job, which acts for nobody. */
static void read_rows(edge_ctx *ctx, edge_rows **rows, const char *session_id)
{
    const edge_statement statements[] = {
        EDGE_SQL("SELECT s.id, s.user_id, s.scenario_id, s.transcript, s.session_duration_seconds, c.name,"
                 " c.client_persona, c.passing_threshold, c.success_criteria"
                 " FROM role_play_session_logs AS s LEFT JOIN role_play_scenarios AS c ON c.id = s.scenario_id"
                 " WHERE s.id = $1",
            edge_uuid(session_id)),
        EDGE_SQL("SELECT " REPORT_COLUMNS
                 " FROM role_play_analysis_reports WHERE id = md5('analysis:' || $1)::uuid",
            edge_text(session_id)),
    };
    if (edge_auth_try_user(ctx) != NULL)
        edge_query_all(ctx, rows, statements, READS);
    else
        edge_service_query_all(ctx, rows, statements, READS);
}

static struct role_play_scenario scenario_of(const edge_rows *session)
{
    const char *name = edge_rows_text(session, 0, "name"),
               *persona = edge_rows_text(session, 0, "client_persona");
    struct role_play_scenario scenario = {
        .name = name != NULL ? name : "Role-Play Scenario",
        .persona = persona != NULL ? persona : "Client",
        .threshold = edge_rows_null(session, 0, "passing_threshold")
                         ? THRESHOLD
                         : edge_rows_int(session, 0, "passing_threshold"),
    };
    scenario.criteria = edge_rows_texts(session, 0, "success_criteria", &scenario.criteria_count);
    return scenario;
}

/* The group's words for what goes wrong at the gateway. */
EDGE_NORETURN static void fail_gateway(edge_ctx *ctx, const struct gateway_failure *failure)
{
    if (failure->status == 402)
        edge_fail(ctx, 402, "ai_credits_exhausted", "%s", failure->said.message);
    if (failure->status == 429 || failure->status == 504)
        gateway_fail(ctx, failure);
    edge_fail(ctx, 502, "ai_failed", "The evaluation failed at the AI provider");
}

static const char *ask(edge_ctx *ctx, json_t *messages)
{
    const char *model = edge_env(ctx, "ROLEPLAY_ANALYSIS_MODEL");
    struct gateway_call *call = gateway_open(ctx, &(const struct gateway_ask){
                                                      .model = model,
                                                      .messages = json_incref(messages),
                                                      .settings = json_pack("{s:f, s:{s:s}}", "temperature",
                                                          0.2, "response_format", "type", "json_object"),
                                                      .timeout_ms = MODEL_MS,
                                                      .once = true,
                                                  });
    while (gateway_next(call) != NULL)
        ;
    const struct gateway_answer *answer = gateway_answer(call);
    if (answer->failure != NULL && strcmp(answer->failure->code, gateway_unusable.code) != 0)
        fail_gateway(ctx, answer->failure);
    return answer->content;
}

/* A model that did not answer in JSON is asked for it once more. */
static json_t *evaluate(edge_ctx *ctx, json_t *messages)
{
    const char *content = ask(ctx, messages);
    json_t *verdict = role_play_verdict(ctx, content);
    if (verdict != NULL)
        return verdict;

    if (content[0] != '\0')
        json_array_append_new(messages, json_pack("{s:s, s:s}", "role", "assistant", "content", content));
    json_array_append_new(messages, json_pack("{s:s, s:s}", "role", "user", "content",
                                        "That was not the JSON object that was asked for. Answer with valid "
                                        "JSON only, overall_score a number."));
    verdict = role_play_verdict(ctx, ask(ctx, messages));
    if (verdict == NULL)
        edge_fail(ctx, 502, "analysis_unparseable", "The AI provider's evaluation could not be read");
    return verdict;
}

static edge_rows *store_report(
    edge_tx *tx, const edge_rows *session, const struct role_play_report *report, bool force)
{
    return edge_tx_query(tx,
        "INSERT INTO role_play_analysis_reports AS r (id, user_id, session_id, overall_score, overall_result, "
        "strengths,"
        " areas_for_improvement, detailed_feedback, metrics)"
        " VALUES (md5('analysis:' || $1)::uuid, $2, $1::uuid, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (id) DO UPDATE"
        " SET overall_score = EXCLUDED.overall_score, overall_result = EXCLUDED.overall_result,"
        " strengths = EXCLUDED.strengths, areas_for_improvement = EXCLUDED.areas_for_improvement,"
        " detailed_feedback = EXCLUDED.detailed_feedback, metrics = EXCLUDED.metrics"
        " WHERE $9"
        " RETURNING xmax = 0 AS inserted",
        edge_text(edge_rows_text(session, 0, "id")), edge_text(edge_rows_text(session, 0, "user_id")),
        edge_int(report->score), edge_text(report->result), edge_json(report->strengths),
        edge_json(report->improvements), edge_text(report->summary), edge_json(report->metrics),
        edge_bool(force));
}

/* An attempt counts when its report is new; evaluating again can only better the best score. */
static void store_progress(
    edge_ctx *ctx, edge_tx *tx, const edge_rows *session, const struct role_play_report *report, bool inserted)
{
    edge_tx_send(tx,
        "INSERT INTO role_play_user_progress AS p (user_id, scenario_id, attempts, best_score, last_attempt_at)"
        " VALUES ($1, $2, CASE WHEN $4 THEN 1 ELSE 0 END, $3, $5)"
        " ON CONFLICT (user_id, scenario_id) DO UPDATE"
        " SET attempts = coalesce(p.attempts, 0) + EXCLUDED.attempts,"
        " best_score = greatest(coalesce(p.best_score, 0), EXCLUDED.best_score),"
        " last_attempt_at = CASE WHEN $4 THEN EXCLUDED.last_attempt_at ELSE p.last_attempt_at END",
        edge_text(edge_rows_text(session, 0, "user_id")), edge_uuid(edge_rows_text(session, 0, "scenario_id")),
        edge_int(report->score), edge_bool(inserted), edge_time(edge_now(ctx)));
}

/* The report as it is stored: this one, or the one that another call stored meanwhile. */
static json_t *store(
    edge_ctx *ctx, const edge_rows *session, const struct role_play_report *report, bool force, bool *reused)
{
    json_t *row = NULL;
    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3)
    {
        edge_rows *stored = store_report(tx, session, report, force);
        bool written = edge_rows_count(stored) > 0;
        if (written && !edge_rows_null(session, 0, "scenario_id"))
            store_progress(ctx, tx, session, report, edge_rows_bool(stored, 0, "inserted"));
        row = edge_row_json(edge_tx_query(tx,
                                "SELECT " REPORT_COLUMNS
                                " FROM role_play_analysis_reports WHERE id = md5('analysis:' || $1)::uuid",
                                edge_text(edge_rows_text(session, 0, "id"))),
            0);
        *reused = !written;
    }
    return row;
}

static json_t *answer_of(const edge_rows *session, json_t *report, bool reused)
{
    size_t count = 0;
    const char *const *criteria = edge_rows_texts(session, 0, "success_criteria", &count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, criteria[i] != NULL ? json_string(criteria[i]) : json_null());
    double seconds = edge_rows_number(session, 0, "session_duration_seconds");
    return json_pack("{s:b, s:o, s:o, s:o, s:b}", "success", 1, "report", report, "durationMinutes",
        seconds > 0 ? json_integer((json_int_t)js_round(seconds / 60)) : json_null(), "successCriteria", list,
        "reused", reused);
}

static json_t *analyze_role_play(edge_ctx *ctx, json_t *in)
{
    const char *id = edge_json_text(in, "sessionId");
    bool force = edge_json_bool(in, "force", false), reused = false;
    gateway_require_key(ctx);

    edge_rows *rows[READS];
    read_rows(ctx, rows, id);
    if (edge_rows_count(rows[SESSION]) == 0)
        edge_fail(ctx, 404, "session_not_found", "Session \"%s\" does not exist", id);
    if (edge_rows_count(rows[REPORT]) > 0 && !force)
        return answer_of(rows[SESSION], edge_row_json(rows[REPORT], 0), true);

    const char *transcript = role_play_transcript(ctx, edge_rows_value(rows[SESSION], 0, "transcript"));
    if (transcript == NULL)
        edge_fail(ctx, 422, "empty_transcript", "The session has no transcript to evaluate");
    struct role_play_scenario scenario = scenario_of(rows[SESSION]);
    json_t *verdict = evaluate(ctx, role_play_question(ctx, &scenario, transcript));
    struct role_play_report report = role_play_report_of(&scenario, verdict);
    json_t *row = store(ctx, rows[SESSION], &report, force, &reused);
    return answer_of(rows[SESSION], row, reused);
}

EDGE_FUNCTION(analyzeRolePlaySession,
    .summary = "Evaluates a training call and keeps the report",
    .input = input,
    .output = output,
    .handle = analyze_role_play,
    .shape = &role_play_shape,
    .service_without_user = true);
