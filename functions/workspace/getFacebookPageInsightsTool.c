/*
 * getFacebookPageInsightsTool: what happened on the user's Facebook Page in the last day, week or month
 * (https://developers.facebook.com/docs/graph-api/reference/page/insights; page_impressions and page_fans were
 * withdrawn on 2025-11-15 and would fail the whole call).
 *
 * One round trip to the database, one more for a Page that was found out. Writes nothing else.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/field.h"
#include "lib/meta_target.h"
#include "lib/score.h"
#include "lib/timestamp.h"
#include "lib/tool.h"

#define METRICS "page_media_view,page_post_engagements,page_follows,page_views_total"

enum {
    DAY_SECONDS = 86400,
};

static const char *const periods[] = { "day", "week", "month", NULL };
static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose Page; required under the service key" },
    { "period", EDGE_ENUM, .values = periods, .fallback = "week", .help = "1, 7 or 30 days up to now" },
    { "pageId", EDGE_TEXT, .help = "Page; absent: the connected one" },
    { "compare", EDGE_BOOL, .fallback = "false", .help = "true: beside the window before" },
    { 0 },
};

static const edge_field metrics_fields[] = {
    { "impressions", EDGE_NUMBER, .required = true, .help = "Times that content was seen" },
    { "engagements", EDGE_NUMBER, .required = true, .help = "Reactions, comments, shares and clicks" },
    { "followers", EDGE_NUMBER, .required = true, .help = "On the latest day" },
    { "pageViews", EDGE_NUMBER, .required = true, .help = "Visits to the Page itself" },
    { "engagementRate", EDGE_TEXT, .required = true, .help = "Engagements by impressions, as 4.2%" },
    { 0 },
};

static const edge_field change_fields[] = {
    { "impressions", EDGE_NUMBER, .help = "null: there were none before" },
    { "engagements", EDGE_NUMBER, .help = "null: there were none before" },
    { "pageViews", EDGE_NUMBER, .help = "null: there were none before" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "period", EDGE_ENUM, .values = periods, .required = true, .help = "As asked for" },
    { "days", EDGE_INT, .required = true, .help = "Of the window" },
    { "metrics", EDGE_OBJECT, .fields = metrics_fields, .required = true, .help = "Totals of the window" },
    { "insights", EDGE_TEXT, .required = true, .help = "The totals in a sentence" },
    TOOL_MESSAGE_FIELD,
    { "pageId", EDGE_TEXT, .required = true, .help = "The Page that was asked" },
    { "previous", EDGE_OBJECT, .fields = metrics_fields, .help = "With compare: totals of the window before" },
    { "changePercent", EDGE_OBJECT, .fields = change_fields, .help = "With compare: from then to now" },
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

struct totals {
    double impressions, engagements, followers, page_views;
};

/* A window to be asked for, and its answer. */
struct window {
    struct tool *tool;
    struct meta_target_page page;
    int64_t since, until;
    struct totals totals;
};

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    return field_is(field, "pageId") ? meta_check_id(ctx, field, value) : value;
}

static int64_t days_of(const char *period)
{
    return strcmp(period, "day") == 0 ? 1 : strcmp(period, "week") == 0 ? 7 : 30;
}

static double sum(const json_t *values)
{
    double total = 0;
    for (size_t i = 0; i < json_array_size(values); i++)
        total += edge_json_number(json_array_get(values, i), "value", 0);
    return total;
}

/* Followers are a stock: the latest day's, not the days' sum. */
static double latest(edge_ctx *ctx, const json_t *values)
{
    double value = 0;
    int64_t latest = INT64_MIN;
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *day = json_array_get(values, i);
        const char *end = edge_json_text(day, "end_time");
        struct timestamp time;
        if (end == NULL || !timestamp_parse(ctx, end, &time) || time.wall - time.offset_seconds < latest)
            continue;
        latest = time.wall - time.offset_seconds;
        value = edge_json_number(day, "value", 0);
    }
    return value;
}

static struct totals totals_of(edge_ctx *ctx, const json_t *metrics)
{
    struct totals totals = { 0 };
    for (size_t i = 0; i < json_array_size(metrics); i++) {
        const json_t *metric = json_array_get(metrics, i), *values = json_object_get(metric, "values");
        const char *name = edge_json_text(metric, "name");
        if (name == NULL)
            continue;
        if (strcmp(name, "page_media_view") == 0)
            totals.impressions += sum(values);
        else if (strcmp(name, "page_post_engagements") == 0)
            totals.engagements += sum(values);
        else if (strcmp(name, "page_views_total") == 0)
            totals.page_views += sum(values);
        else if (strcmp(name, "page_follows") == 0)
            totals.followers = latest(ctx, values);
    }
    return totals;
}

static void *read_window(edge_ctx *ctx, void *arg)
{
    struct window *window = arg;
    json_t *answer = tool_call(window->tool, .provider = "meta_graph", .what = "Reading the insights",
        .reads = true, .token = window->page.token,
        .path = meta_path(ctx, "/%s/insights?metric=%s&period=day&since=%lld&until=%lld",
            edge_url_encode(ctx, window->page.id), edge_url_encode(ctx, METRICS), (long long)window->since,
            (long long)window->until));
    window->totals = totals_of(ctx, json_object_get(answer, "data"));
    return NULL;
}

static const char *rate(edge_ctx *ctx, const struct totals *totals)
{
    if (totals->impressions <= 0)
        return "0%";
    return edge_format(ctx, "%.2f%%", js_round(totals->engagements / totals->impressions * 100 * 100) / 100);
}

static json_t *metrics_json(edge_ctx *ctx, const struct totals *totals)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:s}", "impressions", totals->impressions, "engagements",
        totals->engagements, "followers", totals->followers, "pageViews", totals->page_views, "engagementRate",
        rate(ctx, totals));
}

static json_t *change(double current, double previous)
{
    return previous == 0 ? json_null() : json_real(js_round((current - previous) / previous * 100 * 10) / 10);
}

static void add_comparison(edge_ctx *ctx, json_t *data, const struct totals *now, const struct totals *before)
{
    json_object_set_new(data, "previous", metrics_json(ctx, before));
    json_object_set_new(data, "changePercent",
        json_pack("{s:o, s:o, s:o}", "impressions", change(now->impressions, before->impressions),
            "engagements", change(now->engagements, before->engagements), "pageViews",
            change(now->page_views, before->page_views)));
}

static json_t *get_facebook_page_insights(edge_ctx *ctx, json_t *in)
{
    const char *period = edge_json_text(in, "period");
    int64_t days = days_of(period), until = edge_now(ctx) / 1000000, since = until - days * DAY_SECONDS;
    bool compare = edge_json_bool(in, "compare", false);

    struct tool *tool = tool_begin(ctx, "facebook");
    struct meta_target_page page = meta_target_page(tool, edge_json_text(in, "pageId"));
    struct window now = { tool, page, since, until, { 0 } };
    struct window before = { tool, page, since - days * DAY_SECONDS, since, { 0 } };
    edge_task *reading = compare ? edge_spawn(ctx, read_window, &before) : NULL;
    read_window(ctx, &now);
    if (reading != NULL)
        edge_await(ctx, reading);

    const char *sentence =
        edge_format(ctx, "%.0f views and %.0f engagements (rate %s) in %lld %s", now.totals.impressions,
            now.totals.engagements, rate(ctx, &now.totals), (long long)days, days == 1 ? "day" : "days");
    json_t *data = json_pack("{s:s, s:I, s:o, s:s, s:s, s:s}", "period", period, "days", (json_int_t)days,
        "metrics", metrics_json(ctx, &now.totals), "insights", sentence, "message", "Read the Page's insights",
        "pageId", page.id);
    if (compare)
        add_comparison(ctx, data, &now.totals, &before.totals);
    return tool_succeed(tool, data, NULL);
}

EDGE_FUNCTION(getFacebookPageInsightsTool,
    .summary = "Reads the totals of the user's Facebook Page",
    .input = input,
    .check = check,
    .output = output,
    .shape = &tool_shape,
    .handle = get_facebook_page_insights);
