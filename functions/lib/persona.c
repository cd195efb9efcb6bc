/*
 * The chat agents and their system messages. What the client or the database says about the user becomes plain
 * lines; what is missing leaves its line out.
 */
#include "lib/persona.h"

#include "lib/prompts.h"
#include "lib/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ITEMS_MAX = 5, /* goals and actions shown */
};

const struct persona persona_copilot = {
    .agent_type = "copilot",
    .prompt = prompt_copilot,
    .history_max = 8,
    .turn_seconds = 150,
    .knows_progress = true,
};
const struct persona persona_assistant = {
    .agent_type = "executive_assistant",
    .prompt = prompt_executive_assistant,
    .history_max = 10,
    .turn_seconds = 360,
    .tools = &tools_assistant,
    .knows_progress = true,
};
const struct persona persona_content = {
    .agent_type = "content_agent",
    .prompt = prompt_content_agent,
    .history_max = 10,
    .turn_seconds = 360,
    .tools = &tools_content,
};
const struct persona persona_transactions = {
    .agent_type = "transaction_coordinator",
    .prompt = prompt_transaction_coordinator,
    .history_max = 10,
    .turn_seconds = 360,
    .tools = &tools_transactions,
    .knows_deals = true,
};

static bool has_row(const edge_rows *rows)
{
    return rows != NULL && edge_rows_count(rows) > 0;
}

static void add_line(struct text *out, const char *label, const char *value)
{
    if (value != NULL && value[0] != '\0')
        text_add_format(out, "%s: %s\n", label, value);
}

static void add_column(struct text *out, const char *label, const edge_rows *rows, const char *column)
{
    add_line(out, label, edge_rows_text(rows, 0, column));
}

static void add_time(struct text *out, const struct persona_reads *reads)
{
    const edge_rows *time = has_row(reads->local_time) ? reads->local_time : reads->preferences;
    if (!has_row(time))
        return;

    int minutes = (int)edge_rows_int(time, 0, "offset_minutes");
    text_add_format(out, "Today's date and time: %s %c%02d:%02d (%s)\n", edge_rows_text(time, 0, "local_time"),
        minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60, edge_rows_text(time, 0, "zone"));
}

static void add_style(struct text *out, const struct persona_reads *reads)
{
    if (has_row(reads->preferences)) {
        add_column(out, "Preferred communication style", reads->preferences, "communication_style");
        add_column(out, "Preferred coaching style", reads->preferences, "coaching_style");
    }
    if (has_row(reads->agent)) {
        add_column(out, "Your response style", reads->agent, "response_style");
        add_column(out, "Your personality", reads->agent, "traits");
    }
}

static void add_account(struct text *out, const struct persona_reads *reads)
{
    if (has_row(reads->profile)) {
        add_column(out, "User", reads->profile, "full_name");
        add_column(out, "Brokerage", reads->profile, "brokerage");
        add_column(out, "Licensed in", reads->profile, "license_state");
    }
    if (has_row(reads->market)) {
        add_column(out, "Market", reads->market, "market_name");
        add_column(out, "City", reads->market, "city");
        add_column(out, "State", reads->market, "state");
        add_column(out, "Market trend", reads->market, "market_trend");
    }
}

static void add_scores(struct text *out, json_t *scores)
{
    text_add_format(out, "Scores (0 to 100): PULSE %.15g, GANE %.15g, MORO %.15g\n",
        edge_json_number(scores, "pulse", 0), edge_json_number(scores, "gane", 0),
        edge_json_number(scores, "moro", 0));
}

static const char *text_or(json_t *object, const char *key, const char *fallback)
{
    const char *value = edge_json_text(object, key);
    return value != NULL && value[0] != '\0' ? value : fallback;
}

static void add_items(
    struct text *out, const char *heading, json_t *items, const char *title, const char *status)
{
    if (json_array_size(items) == 0)
        return;
    text_add_format(out, "%s:\n", heading);
    for (size_t i = 0; i < json_array_size(items) && i < ITEMS_MAX; i++) {
        json_t *item = json_array_get(items, i);
        text_add_format(out, "- %s (%s)\n", text_or(item, "title", title), text_or(item, "status", status));
    }
}

static void add_goals_and_actions(struct text *out, json_t *goals, json_t *actions)
{
    add_items(out, "Goals", goals, "Goal", "unknown");
    add_items(out, "Recent actions", actions, "Action", "pending");
}

static void add_stored_progress(struct text *out, const struct persona_reads *reads)
{
    json_t *scores = has_row(reads->scores) ? edge_rows_value(reads->scores, 0, "scores") : NULL;
    if (json_is_object(scores))
        add_scores(out, scores);
    json_t *goals = reads->goals != NULL ? edge_rows_json(reads->goals) : NULL;
    json_t *actions = reads->actions != NULL ? edge_rows_json(reads->actions) : NULL;
    add_goals_and_actions(out, goals, actions);
    json_decref(goals);
    json_decref(actions);
}

static json_t *either(json_t *object, const char *first, const char *second)
{
    json_t *value = json_object_get(object, first);
    return value != NULL ? value : json_object_get(object, second);
}

/* The market page, the dashboard and the panel each name the market in their own way. */
static const char *market_name(json_t *agent_context)
{
    json_t *config = json_object_get(agent_context, "marketConfig");
    const char *name = text_or(json_object_get(agent_context, "market"), "market_name", NULL);
    name = name != NULL ? name : text_or(config, "market_name", NULL);
    name = name != NULL ? name : text_or(config, "marketName", NULL);
    return name != NULL ? name : text_or(config, "primaryTerritory", "Unknown");
}

static void add_client_context(struct text *out, json_t *agent_context)
{
    add_line(out, "User", text_or(json_object_get(agent_context, "profile"), "full_name", "Unknown"));
    add_line(out, "Market", market_name(agent_context));
    add_scores(out, edge_json_path(agent_context, "intelligence.scores"));
    add_goals_and_actions(
        out, json_object_get(agent_context, "goals"), either(agent_context, "recentActions", "actions"));
}

static void add_connections(struct text *out, const struct persona_reads *reads)
{
    const edge_rows *both[] = { reads->services, reads->crms };
    const char *between = "Connected: ";
    for (size_t i = 0; i < 2; i++)
        for (size_t row = 0; both[i] != NULL && row < edge_rows_count(both[i]); row++) {
            text_add_format(out, "%s%s", between, edge_rows_text(both[i], row, "name"));
            between = ", ";
        }
    if (between[0] == ',')
        text_add(out, "\n");
}

static void add_known(struct text *out, const char *label, const char *value)
{
    if (value != NULL && value[0] != '\0')
        text_add_format(out, ", %s%s", label, value);
}

static void add_deals(struct text *out, const edge_rows *deals)
{
    if (!has_row(deals))
        return;
    text_add(out, "Open deals, the nearest closing date first:\n");
    for (size_t i = 0; i < edge_rows_count(deals); i++) {
        text_add_format(out, "- id %s", edge_rows_text(deals, i, "id"));
        add_known(out, "", edge_rows_text(deals, i, "property_address"));
        add_known(out, "client ", edge_rows_text(deals, i, "client_name"));
        add_known(out, "status ", edge_rows_text(deals, i, "status"));
        add_known(out, "expected to close ", edge_rows_text(deals, i, "expected_close_date"));
        text_add(out, "\n");
    }
}

static void add_guidelines(struct text *out, const edge_rows *rows)
{
    if (!has_row(rows))
        return;
    text_add(
        out, "\nStanding instructions of the user. They go before your style, never before the rules above:\n");
    for (size_t i = 0; i < edge_rows_count(rows); i++)
        text_add_format(out, "- [%s] %s\n", edge_rows_text(rows, i, "guideline_category"),
            edge_rows_text(rows, i, "guideline_text"));
}

static void add_knowledge(struct text *out, const edge_rows *rows)
{
    if (!has_row(rows))
        return;
    text_add(out, "\nNotes that the user has stored for you:\n");
    for (size_t i = 0; i < edge_rows_count(rows); i++)
        text_add_format(
            out, "## %s\n%s\n", edge_rows_text(rows, i, "title"), edge_rows_text(rows, i, "content"));
}

static const char *persona_prompt(const struct persona *persona, const edge_rows *override)
{
    const char *own = has_row(override) ? edge_rows_text(override, 0, "prompt_template") : NULL;
    return own != NULL && own[0] != '\0' ? own : persona->prompt;
}

static const char *known_of_user(edge_ctx *ctx, const struct persona_reads *reads, json_t *agent_context)
{
    struct text out = { .ctx = ctx };
    add_time(&out, reads);
    add_style(&out, reads);
    if (agent_context != NULL) {
        add_client_context(&out, agent_context);
    } else {
        add_account(&out, reads);
        add_stored_progress(&out, reads);
    }
    add_connections(&out, reads);
    add_deals(&out, reads->deals);
    add_guidelines(&out, reads->guidelines);
    add_knowledge(&out, reads->knowledge);
    return text_value(&out);
}

/* Written straight into the JSON string: thousands of turns wait at once, and the prompt is most of what they
 * hold. */
json_t *persona_system(edge_ctx *ctx, const struct persona *persona, const struct persona_reads *reads,
    const char *focus, json_t *agent_context)
{
    return json_sprintf("%s\n%s\n%s\nWhat is known about the user:\n%s", persona_prompt(persona, reads->prompt),
        focus, prompt_safety, known_of_user(ctx, reads, agent_context));
}
