/*
 * getInstagramInsightsTool: metrics of the user's Instagram account over a recent window
 * (https://developers.facebook.com/docs/instagram-platform/api-reference/instagram-user/insights; "impressions"
 * was withdrawn on 2025-04-21, and windows are 30 days at most).
 *
 * One round trip to the database, one more for an account that was found out. Writes nothing else.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/field.h"
#include "lib/meta_target.h"
#include "lib/text.h"
#include "lib/tool.h"

enum {
    DAY_SECONDS = 86400,
};

static const char *const periods[] = { "day", "week", "days_28", "month", NULL };
static const char *const metrics[] = { "reach", "views", "accounts_engaged", "total_interactions",
    "profile_links_taps", "likes", "comments", "shares", "saves", "replies", "follows_and_unfollows",
    "profile_views" };
static const size_t default_count = 5; /* of metrics, from the first */

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose account; required under the service key" },
    { "period", EDGE_ENUM, .values = periods, .fallback = "day", .help = "1, 7, 28 or 30 days up to now" },
    { "metrics", EDGE_JSON, .help = "Names, separated by commas or as an array; absent: the five usual ones" },
    { "accountId", EDGE_TEXT, .help = "Instagram account; absent: the connected one" },
    { 0 },
};

static const edge_field metric_total = { .type = EDGE_NUMBER };
static const edge_field metric_name = { .type = EDGE_TEXT };
static const edge_field insight_item = { .type = EDGE_OBJECT };

static const edge_field data_fields[] = {
    { "insights", EDGE_ARRAY, .items = &insight_item, .required = true,
        .help = "Metrics as Meta answers them" },
    { "period", EDGE_ENUM, .values = periods, .required = true, .help = "As asked for" },
    TOOL_MESSAGE_FIELD,
    { "days", EDGE_INT, .required = true, .help = "Of the window" },
    { "metrics", EDGE_MAP, .items = &metric_total, .required = true, .help = "Totals of the window by metric" },
    { "followers", EDGE_INT, .help = "null: the profile could not be read" },
    { "unavailable", EDGE_ARRAY, .items = &metric_name, .required = true,
        .help = "Metrics that Meta has not answered" },
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

/* What is asked of Meta, and the answers. */
struct reading {
    struct tool *tool;
    const char *account;
    json_t *names; /* asked for */
    int64_t since, until;
    json_t *data, *followers;
};

/* A name as Meta knows it now; old callers' names are of metrics that have been replaced. */
static const char *current_name(const char *name)
{
    return strcmp(name, "impressions") == 0 ? "views" : name;
}

static bool is_metric(const char *name)
{
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        if (strcmp(metrics[i], name) == 0)
            return true;
    return false;
}

static bool has(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
            return true;
    return false;
}

/* The names of a list; follower_count is one that the profile answers. */
static void add_name(edge_ctx *ctx, json_t *names, const char *item)
{
    const char *name = current_name(text_trim(ctx, item));
    if (name[0] == '\0' || has(names, name))
        return;
    if (!is_metric(name) && strcmp(name, "follower_count") != 0)
        field_fail(ctx, "metrics", "has \"%s\", which is no metric", text_cut(ctx, name, 100));
    json_array_append_new(names, json_string(name));
}

static json_t *read_names(edge_ctx *ctx, const json_t *value)
{
    json_t *names = json_array();
    const char *text = json_string_value(value);
    if (text == NULL && !json_is_array(value))
        field_fail(ctx, "metrics", "must be a string or an array of strings");
    for (size_t length; text != NULL && *text != '\0'; text += length + (text[length] == ',')) {
        length = strcspn(text, ",");
        add_name(ctx, names, edge_copy_bytes(ctx, text, length));
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *item = json_string_value(json_array_get(value, i));
        if (item == NULL)
            field_fail(ctx, "metrics", "must be a string or an array of strings");
        add_name(ctx, names, item);
    }
    return names;
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "metrics"))
        return read_names(ctx, value);
    return field_is(field, "accountId") ? meta_check_id(ctx, field, value) : value;
}

/* What the insights call is asked for: nothing, when only the followers were wanted. */
static json_t *wanted_names(const json_t *in)
{
    const json_t *asked = json_object_get(in, "metrics");
    json_t *names = json_array();
    if (json_array_size(asked) == 0)
        for (size_t i = 0; i < default_count; i++)
            json_array_append_new(names, json_string(metrics[i]));
    for (size_t i = 0; i < json_array_size(asked); i++)
        if (is_metric(json_string_value(json_array_get(asked, i))))
            json_array_append(names, json_array_get(asked, i));
    return names;
}

static int64_t days_of(const char *period)
{
    return strcmp(period, "day") == 0       ? 1
           : strcmp(period, "week") == 0    ? 7
           : strcmp(period, "days_28") == 0 ? 28
                                            : 30;
}

static void read_insights(edge_ctx *ctx, struct reading *reading)
{
    struct text list = { .ctx = ctx };
    for (size_t i = 0; i < json_array_size(reading->names); i++)
        text_add_format(&list, "%s%s", i > 0 ? "," : "", json_string_value(json_array_get(reading->names, i)));
    json_t *answer = tool_call(reading->tool, .provider = "meta_graph", .what = "Reading the insights",
        .reads = true,
        .path =
            meta_path(ctx, "/%s/insights?metric=%s&period=day&metric_type=total_value&since=%lld&until=%lld",
                edge_url_encode(ctx, reading->account), edge_url_encode(ctx, text_value(&list)),
                (long long)reading->since, (long long)reading->until));
    json_t *data = json_object_get(answer, "data");
    if (json_is_array(data))
        reading->data = data;
}

/* A profile that cannot be read is no failure of the insights. */
static void *read_profile(edge_ctx *ctx, void *arg)
{
    struct reading *reading = arg;
    json_t *profile = tool_try_call(reading->tool, .provider = "meta_graph", .what = "Reading the profile",
        .reads = true,
        .path =
            meta_path(ctx, "/%s?fields=followers_count%%2Cusername", edge_url_encode(ctx, reading->account)))
                          .json;
    json_t *count = json_object_get(profile, "followers_count");
    reading->followers = json_is_integer(count) ? count : json_null();
    return NULL;
}

static json_t *total_of(const json_t *metric)
{
    const json_t *values = json_object_get(metric, "values");
    if (!json_is_array(values))
        return json_real(edge_json_number(json_object_get(metric, "total_value"), "value", 0));
    double sum = 0;
    for (size_t i = 0; i < json_array_size(values); i++)
        sum += edge_json_number(json_array_get(values, i), "value", 0);
    return json_real(sum);
}

static json_t *totals_of(const json_t *data)
{
    json_t *totals = json_object();
    for (size_t i = 0; i < json_array_size(data); i++) {
        const char *name = edge_json_text(json_array_get(data, i), "name");
        if (name != NULL)
            json_object_set_new(totals, name, total_of(json_array_get(data, i)));
    }
    return totals;
}

static json_t *unavailable(const json_t *names, const json_t *totals)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        json_t *name = json_array_get(names, i);
        if (json_object_get(totals, json_string_value(name)) == NULL)
            json_array_append(list, name);
    }
    return list;
}

static json_t *get_instagram_insights(edge_ctx *ctx, json_t *in)
{
    const char *period = edge_json_text(in, "period");
    int64_t days = days_of(period), until = edge_now(ctx) / 1000000;

    struct tool *tool = tool_begin(ctx, "instagram");
    struct reading reading = {
        .tool = tool,
        .account = meta_target_instagram(tool, edge_json_text(in, "accountId")),
        .names = wanted_names(in),
        .since = until - days * DAY_SECONDS,
        .until = until,
        .data = json_array(),
    };
    edge_task *profile = edge_spawn(ctx, read_profile, &reading);
    if (json_array_size(reading.names) > 0)
        read_insights(ctx, &reading);
    edge_await(ctx, profile);

    json_t *totals = totals_of(reading.data);
    return tool_succeed(tool,
        json_pack("{s:O, s:s, s:s, s:I, s:O, s:O, s:o}", "insights", reading.data, "period", period, "message",
            edge_format(ctx, "Read %zu metrics", json_object_size(totals)), "days", (json_int_t)days, "metrics",
            totals, "followers", reading.followers, "unavailable", unavailable(reading.names, totals)),
        NULL);
}

EDGE_FUNCTION(getInstagramInsightsTool,
    .summary = "Reads metrics of the user's Instagram account",
    .input = input,
    .check = check,
    .output = output,
    .shape = &tool_shape,
    .handle = get_instagram_insights);
