/*
 * triggerMarketUpdateEmails: the figures of their market for every user who wants them, on Thursdays from 9 to
 * 18 of their own clock, once an ISO week (lib/mail_run).
 *
 * A page of users costs one statement to read, one to store what was fetched. What is a day old at most is used
 * as it is; else a city is asked for once a run, however many users share it.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/mail_run.h"
#include "lib/market.h"
#include "lib/market_figures.h"

enum {
    IN_FLIGHT_MAX = 4,
    ERROR_MAX = 200,
};

/* One row a user: the territory, and what is stored about it. */
#define MARKETS_SQL                                                                                            \
    "SELECT c.user_id IS NOT NULL AS known, c.state, c.city,"                                                  \
    " coalesce(nullif(btrim(c.market_name), ''), concat_ws(', ', c.city, c.state)) AS name, g.id AS place_id," \
    " m.raw_data AS raw, to_char(m.data_date AT TIME ZONE u.zone, 'YYYY-MM-DD') AS raw_day,"                   \
    " coalesce(m.data_date BETWEEN $4 - interval '24 hours' AND $4 + interval '24 hours', false) AS fresh,"    \
    " c.average_price, c.inventory_level, c.median_dom, c.market_trend,"                                       \
    " to_char(c.updated_at AT TIME ZONE u.zone, 'YYYY-MM-DD') AS config_day"                                   \
    " FROM unnest($1, $2, $3) WITH ORDINALITY AS u (user_id, day, zone, place)"                                \
    " LEFT JOIN market_config AS c ON c.user_id = u.user_id"                                                   \
    " CROSS JOIN LATERAL"                                                                                      \
    " (SELECT coalesce(c.state, 'unknown') || '-' || coalesce(c.city, 'unknown') || '-city' AS id) AS g"       \
    " LEFT JOIN market_data AS m ON m.user_id = u.user_id AND m.geography_id = g.id"                           \
    " ORDER BY u.place"

/* What a user's mail says. */
struct market {
    const char *name, *state, *city, *place_id;
    const char *key;  /* of the city among those that the run has asked for */
    const char *skip; /* why there is no mail; NULL: there is one */
    bool wanted;      /* has to be fetched */
    bool stale;
    struct market_figures figures;
    const char *day;   /* of the figures */
    const char *error; /* of the fetch; NULL: none */
};

struct markets {
    edge_rows *rows;
    struct market *items;
};

/* Cities to be asked for, handed to tasks in turn. */
struct fetch {
    struct mail_page *page;
    const struct market **wanted;
    size_t count, next;
};

/* One city. The answer, or what we say of the failure, is the run's. */
static void *fetch_cities(edge_ctx *ctx, void *arg)
{
    struct fetch *fetch = arg;
    while (fetch->next < fetch->count) {
        const struct market *market = fetch->wanted[fetch->next++];
        const struct market_failure *failure;
        struct market_figures figures;
        json_t *raw = market_trends(ctx, market->state, market->city, "city", &failure);
        json_t *known = json_object_get(fetch->page->memory, market->key);
        if (raw == NULL)
            json_object_set_new(known, "error", json_string(failure->message));
        else if (!market_figures_read(ctx, raw, &figures))
            json_object_set_new(known, "error", json_string("The provider's answer has no figures"));
        else
            json_object_set_new(known, "raw", raw);
    }
    return NULL;
}

/* Asks for the cities that the run has not asked for yet, four at a time. */
static void fetch_missing(struct mail_page *page, struct markets *markets)
{
    struct fetch fetch = { .page = page };
    fetch.wanted = edge_alloc(page->ctx, (page->count + 1) * sizeof *fetch.wanted);
    for (size_t i = 0; i < page->count; i++) {
        const struct market *market = &markets->items[i];
        if (!market->wanted || json_object_get(page->memory, market->key) != NULL)
            continue;
        json_object_set_new(page->memory, market->key, json_object());
        fetch.wanted[fetch.count++] = market;
    }
    edge_task *tasks[IN_FLIGHT_MAX];
    for (size_t i = 0; i < IN_FLIGHT_MAX; i++)
        tasks[i] = fetch.count > i ? edge_spawn(page->ctx, fetch_cities, &fetch) : NULL;
    for (size_t i = 0; i < IN_FLIGHT_MAX; i++)
        if (tasks[i] != NULL)
            edge_await(page->ctx, tasks[i]);
}

/* What was fetched, for every user of the city. What cannot be stored can be mailed all the same. */
static void store_fetched(struct mail_page *page, const struct markets *markets)
{
    json_t *users = json_array(), *cities = json_object();
    for (size_t i = 0; i < page->count; i++) {
        const struct market *market = &markets->items[i];
        json_t *raw =
            market->wanted ? json_object_get(json_object_get(page->memory, market->key), "raw") : NULL;
        if (raw == NULL)
            continue;
        json_object_set(cities, market->key, raw);
        json_array_append_new(
            users, json_pack("{s:s, s:s, s:s, s:s}", "user_id", page->people[i].user, "place_id",
                       market->place_id, "name", market->name, "key", market->key));
    }
    edge_error error;
    if (json_array_size(users) > 0 &&
        edge_try_service_query(page->ctx, &error,
            "INSERT INTO market_data (user_id, geography_type, geography_id, geography_name, raw_data, "
            "data_date)"
            " SELECT u.user_id, 'city', u.place_id, u.name, $2::jsonb -> u.key, $3"
            " FROM jsonb_to_recordset($1) AS u (user_id text, place_id text, name text, key text)"
            " ON CONFLICT (user_id, geography_id) DO UPDATE"
            " SET geography_type = EXCLUDED.geography_type, geography_name = EXCLUDED.geography_name,"
            " raw_data = EXCLUDED.raw_data, data_date = EXCLUDED.data_date",
            edge_json(users), edge_json(cities), edge_time(page->now_us)) == NULL)
        edge_log(page->ctx, EDGE_LOG_WARN, "market_data_not_stored", { "detail", edge_text(error.detail) });
    json_decref(users);
    json_decref(cities);
}

static bool read_config(struct mail_page *page, const edge_rows *rows, size_t i, struct market *market)
{
    const char *trend = edge_rows_text(rows, i, "market_trend");
    bool any = market_figures_of(page->ctx, edge_rows_value(rows, i, "average_price"),
        edge_rows_value(rows, i, "inventory_level"), edge_rows_value(rows, i, "median_dom"),
        edge_rows_value(rows, i, "market_trend"), &market->figures);
    market->day = edge_rows_text(rows, i, "config_day");
    return any || (trend != NULL && trend[0] != '\0');
}

/* Where a user's figures come from, best first: fetched, stored at any time, set up by the user, nowhere. */
static void choose(struct mail_page *page, const edge_rows *rows, size_t i, struct market *market)
{
    edge_ctx *ctx = page->ctx;
    const json_t *fetched = json_object_get(page->memory, market->key);
    market->error = edge_json_text(fetched, "error");
    market->day = page->people[i].day;
    /* A dry run does not know them, and shows no more than the subject. */
    if (page->dry) {
        market_figures_read(ctx, NULL, &market->figures);
        return;
    }
    if (market_figures_read(ctx, json_object_get(fetched, "raw"), &market->figures))
        return;
    market->stale = true;
    market->day = edge_rows_text(rows, i, "raw_day");
    if (market_figures_read(ctx, edge_rows_value(rows, i, "raw"), &market->figures))
        return;
    if (!read_config(page, rows, i, market))
        market->skip = "no_market_data";
}

static void read_market(struct mail_page *page, const edge_rows *rows, size_t i, struct market *market)
{
    edge_ctx *ctx = page->ctx;
    *market = (struct market){ .name = edge_rows_text(rows, i, "name"),
        .state = edge_rows_text(rows, i, "state"),
        .city = edge_rows_text(rows, i, "city"),
        .place_id = edge_rows_text(rows, i, "place_id"),
        .day = edge_rows_text(rows, i, "raw_day"),
        .skip = edge_rows_bool(rows, i, "known") ? NULL : "no_market_config" };
    market->key = edge_format(
        ctx, "%s\n%s", market->state != NULL ? market->state : "", market->city != NULL ? market->city : "");
    bool fresh = edge_rows_bool(rows, i, "fresh") &&
                 market_figures_read(ctx, edge_rows_value(rows, i, "raw"), &market->figures);
    market->wanted = market->skip == NULL && !fresh;
}

static void read_markets(struct mail_page *page)
{
    struct markets *markets = edge_alloc(page->ctx, sizeof *markets);
    markets->items = edge_alloc(page->ctx, page->count * sizeof *markets->items);
    markets->rows = edge_service_query(page->ctx, MARKETS_SQL, edge_texts(page->users, page->count),
        edge_texts(page->days, page->count), edge_texts(page->zones, page->count), edge_time(page->now_us));
    page->data = markets;

    for (size_t i = 0; i < page->count; i++)
        read_market(page, markets->rows, i, &markets->items[i]);
    if (!page->dry) {
        fetch_missing(page, markets);
        store_fetched(page, markets);
    }
    for (size_t i = 0; i < page->count; i++)
        if (markets->items[i].wanted)
            choose(page, markets->rows, i, &markets->items[i]);
}

static const char *compose(struct mail_page *page, size_t i, struct mail_content *content)
{
    edge_ctx *ctx = page->ctx;
    const struct market *market = &((const struct markets *)page->data)->items[i];
    const struct market_figures *figures = &market->figures;
    if (market->skip != NULL)
        return market->skip;
    const char *day = market->day != NULL ? market->day : page->people[i].day;
    const char *notice =
        market->stale ? edge_format(ctx, "Newer figures were not available: these are from %s.", day) : "";

    mail_set(content, "marketName", market->name);
    mail_set(content, "medianPrice", figures->price);
    mail_set(content, "inventory", figures->inventory);
    mail_set(content, "daysOnMarket", figures->days);
    mail_set(content, "priceTrend", figures->trend);
    mail_set(content, "asOf", day);
    mail_set(content, "staleNotice", notice);

    content->subject = edge_format(ctx, "Market update: %s", market->name);
    mail_add_section(content, edge_format(ctx, "%s in figures", market->name),
        edge_format(ctx, "Median price: %s\nHomes for sale: %s\nDays on market: %s\nPrice trend: %s\nAs of: %s",
            figures->price, figures->inventory, figures->days, figures->trend, day));
    if (market->stale)
        mail_add_section(content, "About these figures", notice);
    json_object_set_new(content->facts, "marketName", json_string(market->name));
    json_object_set_new(content->facts, "stale", json_boolean(market->stale));
    if (market->error != NULL)
        json_object_set_new(content->facts, "fetchError", json_string(text_cut(ctx, market->error, ERROR_MAX)));
    return NULL;
}

static const struct mail_kind market_update = {
    .function = "triggerMarketUpdateEmails",
    .email_type = "market",
    .flag = "market_updates",
    .template_key = "market_update_email",
    .weekday = 4,
    .first_hour = 9,
    .last_hour = 17,
    .period_format = "IYYY-\"W\"IW",
    .button = "Open your market",
    .button_path = "/market",
    .reason = "You get this mail because market updates are switched on in your Pulse AI settings.",
    .read = read_markets,
    .compose = compose,
};

static json_t *trigger_market(edge_ctx *ctx, json_t *in)
{
    return mail_run(ctx, in, &market_update);
}

EDGE_FUNCTION(triggerMarketUpdateEmails,
    .summary = "Sends every user who wants it the figures of their market",
    .input = mail_run_input,
    .output = mail_run_output,
    .handle = trigger_market,
    .service_without_user = true);
