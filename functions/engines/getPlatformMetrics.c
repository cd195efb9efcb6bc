/*
 * getPlatformMetrics: the platform's health, and key figures of a range of days, for administrators.
 *
 * Three round trips and one for the role; a range with more than a thousand closed deals has one more for each
 * thousand. Reads as the service: the figures are everybody's.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/field.h"
#include "lib/platform.h"
#include "lib/probe.h"
#include "lib/text.h"

#define DAY_US ((int64_t)24 * 3600 * 1000000)

enum {
    DEFAULT_DAYS = 30,
    SPAN_DAYS_MAX = 366,
};

static const char *const regions[] = { "all", "Northeast", "Southeast", "Midwest", "Southwest", "West", NULL };

static const edge_field input[] = {
    { "startDate", EDGE_DATE, .help = "First day (UTC); absent: 30 days ago" },
    { "endDate", EDGE_DATE, .help = "Last day (UTC), at most 366 days later; absent: today" },
    { "searchUser", EDGE_TEXT, .min = 0, .max = 100, .fallback = "",
        .help = "Part of a name or e-mail address" },
    { "region", EDGE_ENUM, .values = regions, .fallback = "all", .help = "Where users work" },
    { 0 },
};

static const edge_field users_fields[] = {
    { "date", EDGE_DATE, .required = true },
    { "users", EDGE_INT, .required = true, .help = "New ones" },
    { 0 },
};
static const edge_field users_item = { .type = EDGE_OBJECT, .fields = users_fields };

static const edge_field value_fields[] = {
    { "name", EDGE_TEXT, .required = true },
    { "value", EDGE_INT, .required = true },
    { 0 },
};
static const edge_field value_item = { .type = EDGE_OBJECT, .fields = value_fields };

static const edge_field feature_fields[] = {
    { "feature", EDGE_TEXT, .required = true },
    { "count", EDGE_INT, .required = true },
    { 0 },
};
static const edge_field feature_item = { .type = EDGE_OBJECT, .fields = feature_fields };

static const edge_field calls_fields[] = {
    { "callsMade", EDGE_INT, .required = true },
    { "callsCompleted", EDGE_INT, .required = true },
    { "appointmentsSet", EDGE_INT, .required = true },
    { "callsFailed", EDGE_INT, .required = true },
    { "totalCallTime", EDGE_INT, .required = true, .help = "Seconds" },
    { "conversionRatio", EDGE_NUMBER, .required = true, .help = "Appointments, per cent of the calls" },
    { 0 },
};

static const edge_field tasks_fields[] = {
    { "tasksGenerated", EDGE_INT, .required = true },
    { "tasksCompleted", EDGE_INT, .required = true },
    { "tasksOverdue", EDGE_INT, .required = true },
    { "completionRatio", EDGE_NUMBER, .required = true, .help = "In per cent" },
    { "avgPulseScore", EDGE_INT, .required = true, .help = "Mean of the users' latest" },
    { 0 },
};

static const edge_field performance_fields[] = {
    { "totalGCI", EDGE_NUMBER, .required = true, .help = "Gross commission income" },
    { "totalListingsClosed", EDGE_NUMBER, .required = true },
    { "totalBuyersClosed", EDGE_NUMBER, .required = true },
    { "totalSalesVolume", EDGE_NUMBER, .required = true },
    { 0 },
};

static const edge_field count = { .type = EDGE_INT };
static const edge_field day_fields[] = {
    { "date", EDGE_DATE, .required = true },
    { "count", EDGE_INT, .required = true },
    { 0 },
};
static const edge_field day_item = { .type = EDGE_OBJECT, .fields = day_fields };

static const edge_field analytics_fields[] = {
    { "totalAccounts", EDGE_INT, .required = true },
    { "adminAccounts", EDGE_INT, .required = true },
    { "regionBreakdown", EDGE_MAP, .items = &count, .required = true, .help = "Accounts by region" },
    { "userAcquisitionData", EDGE_ARRAY, .items = &day_item, .required = true, .help = "New ones, day by day" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "aiAgent", EDGE_OBJECT, .fields = calls_fields, .required = true, .help = "Calls that agents made" },
    { "tasks", EDGE_OBJECT, .fields = tasks_fields, .required = true, .help = "Daily actions" },
    { "performance", EDGE_OBJECT, .fields = performance_fields, .required = true, .help = "Closed deals" },
    { "analytics", EDGE_OBJECT, .fields = analytics_fields, .required = true, .help = "Accounts" },
    { 0 },
};

static const char *const healthy[] = { "healthy", NULL };
static const char *const api_statuses[] = { "healthy", "degraded", NULL };

static const edge_field output[] = {
    { "totalUsers", EDGE_INT, .required = true },
    { "newUsersToday", EDGE_INT, .required = true },
    { "activeUsers7d", EDGE_INT, .required = true, .help = "Changed something within seven days" },
    { "activeUserRate", EDGE_NUMBER, .required = true, .help = "In per cent" },
    { "avgResponseTime", EDGE_INT, .required = true, .help = "Milliseconds, of the integrations" },
    { "errorRate", EDGE_INT, .required = true, .help = "Integrations that fail, in per cent" },
    { "databaseStatus", EDGE_ENUM, .values = healthy, .required = true },
    { "storageStatus", EDGE_ENUM, .values = healthy, .required = true },
    { "apiStatus", EDGE_ENUM, .values = api_statuses, .required = true, .help = "degraded: one fails" },
    { "emailStatus", EDGE_ENUM, .values = integration_statuses, .required = true, .help = "Resend's" },
    { "featureUsageData", EDGE_ARRAY, .items = &value_item, .required = true, .help = "Uses in 24 hours" },
    { "featureUsage", EDGE_ARRAY, .items = &feature_item, .required = true, .help = "The same" },
    { "apiCalls24h", EDGE_INT, .required = true, .help = "Conversations begun" },
    { "totalErrors", EDGE_INT, .required = true, .help = "In 24 hours" },
    { "userGrowthData", EDGE_ARRAY, .items = &users_item, .required = true, .help = "30 days up to today" },
    { "subscriptionData", EDGE_ARRAY, .items = &value_item, .required = true, .help = "Users by tier" },
    { "data", EDGE_OBJECT, .fields = data_fields, .required = true, .help = "Of the range and the filter" },
    { "generatedAt", EDGE_DATETIME, .required = true, .help = "Of which moment it is" },
    { 0 },
};

static int64_t day_number(const char *day)
{
    struct tm at = { .tm_year = atoi(day) - 1900, .tm_mon = atoi(day + 5) - 1, .tm_mday = atoi(day + 8) };
    return (int64_t)timegm(&at) / 86400;
}

/* The day of an instant. */
static const char *day_of(edge_ctx *ctx, int64_t microseconds)
{
    return edge_copy_bytes(ctx, edge_iso_time(ctx, microseconds), strlen("YYYY-MM-DD"));
}

static struct platform_filter read_filter(edge_ctx *ctx, json_t *in)
{
    const char *first = edge_json_text(in, "startDate"), *last = edge_json_text(in, "endDate");
    struct platform_filter filter = {
        .first_day = first != NULL ? first : day_of(ctx, edge_now(ctx) - DEFAULT_DAYS * DAY_US),
        .last_day = last != NULL ? last : day_of(ctx, edge_now(ctx)),
        .search = text_trim(ctx, edge_json_text(in, "searchUser")),
        .region = edge_json_text(in, "region"),
    };
    int64_t span = day_number(filter.last_day) - day_number(filter.first_day);
    if (span < 0)
        field_fail(ctx, "startDate", "must not be after endDate");
    if (span > SPAN_DAYS_MAX)
        field_fail(ctx, "endDate", "must be at most %d days after startDate", SPAN_DAYS_MAX);
    return filter;
}

static json_t *get_platform_metrics(edge_ctx *ctx, json_t *in)
{
    struct platform_filter filter = read_filter(ctx, in);
    int64_t now = edge_now(ctx) / 1000 * 1000;

    json_t *body = json_object();
    platform_add_health(ctx, body, now);
    json_object_set_new(body, "data", platform_range(ctx, &filter, now));
    json_object_set_new(body, "generatedAt", json_string(edge_iso_time(ctx, now)));
    return body;
}

EDGE_FUNCTION(getPlatformMetrics,
    .summary = "The platform's health and key figures, for administrators",
    .input = input,
    .output = output,
    .handle = get_platform_metrics);
