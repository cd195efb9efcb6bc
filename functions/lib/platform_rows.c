/*
 * Content of the former platform.
 */
#include "lib/platform_rows.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/iso_time.h"
#include "lib/text.h"

#define COUNTS                                                                                                 \
    " RETURNING (xmax = 0) AS is_new)"                                                                         \
    " SELECT count(*) FILTER (WHERE is_new) AS created, count(*) FILTER (WHERE NOT is_new) AS updated FROM "   \
    "written"

#define PRUNE(table)                                                                                           \
    "DELETE FROM " table " WHERE updated_at < $1 AND $2::text IS NOT DISTINCT FROM $2 AND $3::text IS NOT "    \
    "NULL"

/* The first of the names whose member is there and not null. */
static json_t *first_of(const json_t *row, const char *const *names)
{
    for (; *names != NULL; names++) {
        json_t *value = json_object_get(row, *names);
        if (value != NULL && !json_is_null(value))
            return value;
    }
    return NULL;
}

#define FIRST(row, ...) first_of((row), (const char *const[]){ __VA_ARGS__, NULL })

/* Texts as they are, numbers as their digits, empty ones and everything else as null. */
static json_t *text_or(edge_ctx *ctx, const json_t *value, const char *fallback)
{
    const char *text = json_string_value(value);
    if (json_is_number(value))
        text = edge_json_dump(ctx, value, NULL);
    if (text == NULL || text[0] == '\0')
        text = fallback;
    return text != NULL ? json_string(text) : json_null();
}

static json_t *flag_or(const json_t *value, bool fallback)
{
    return json_boolean(json_is_boolean(value) ? json_is_true(value) : fallback);
}

/* A whole number within 32 bits, of a number or of digits. */
static bool read_integer(const json_t *value, int *out)
{
    const char *text = json_string_value(value);
    char *end = NULL;
    double number = text != NULL && text[0] != '\0' ? strtod(text, &end) : json_number_value(value);
    if ((text != NULL && (end == NULL || *end != '\0')) || (text == NULL && !json_is_number(value)))
        return false;
    if (!(fabs(number) <= INT32_MAX))
        return false;
    *out = (int)number;
    return true;
}

static json_t *integer_or(const json_t *value, int fallback)
{
    int number;
    return json_integer(read_integer(value, &number) ? number : fallback);
}

/* A JSON text parsed, other text as it is. */
static json_t *parsed(edge_ctx *ctx, json_t *value)
{
    const char *text = json_string_value(value);
    json_t *json = text != NULL ? edge_json_parse(ctx, text, strlen(text)) : NULL;
    return json != NULL ? json : json_incref(value);
}

static json_t *strings_of(const json_t *array)
{
    json_t *strings = json_array(), *item;
    size_t i;
    json_array_foreach(array, i, item) if (json_is_string(item)) json_array_append(strings, item);
    return strings;
}

/* "21-60" for score ranges, a number otherwise; what bulk imports refuse is null here (spec data.md). */
static void set_trigger(json_t *row, const json_t *value)
{
    const char *type = edge_json_text(row, "trigger_type"), *text = json_string_value(value);
    int low, high;
    json_object_set_new(row, "trigger_value", json_null());
    json_object_set_new(row, "trigger_max", json_null());
    size_t digits = text != NULL ? strspn(text, "0123456789") : 0;
    if (digits > 0 && digits < 10 && text[digits] == '-' && type != NULL &&
        strcmp(type, "pulse_score_range") == 0) {
        low = atoi(text);
        json_t *rest = json_string(text + digits + 1);
        if (isdigit((unsigned char)text[digits + 1]) && read_integer(rest, &high) && low <= high) {
            json_object_set_new(row, "trigger_value", json_integer(low));
            json_object_set_new(row, "trigger_max", json_integer(high));
        }
    } else if (read_integer(value, &low)) {
        json_object_set_new(row, "trigger_value", json_integer(low));
    }
}

static json_t *map_template(edge_ctx *ctx, const json_t *source)
{
    const char *priority = edge_json_text(source, "priority");
    int weight = priority != NULL && strcmp(priority, "high") == 0  ? 5
                 : priority != NULL && strcmp(priority, "low") == 0 ? 1
                                                                    : 3;
    json_t *row = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o}", "title",
        text_or(ctx, FIRST(source, "title"), NULL), "description",
        text_or(ctx, FIRST(source, "description"), NULL), "category",
        text_or(ctx, FIRST(source, "category"), NULL), "action_type",
        text_or(ctx, FIRST(source, "actionType", "action_type"), NULL), "priority",
        text_or(ctx, FIRST(source, "priority"), "medium"), "trigger_type",
        text_or(ctx, FIRST(source, "triggerType", "trigger_type"), NULL), "display_category",
        text_or(ctx, FIRST(source, "subCategory", "display_category"), NULL), "is_active",
        flag_or(FIRST(source, "isActive", "is_active"), true), "priority_weight", weight, "impact_area",
        text_or(ctx, FIRST(source, "pulseImpact", "impact_area"), NULL));
    set_trigger(row, FIRST(source, "triggerValue", "trigger_value"));
    return row;
}

static json_t *traits_of(edge_ctx *ctx, const json_t *source)
{
    const char *at = edge_json_text(source, "personality");
    if (at == NULL)
        return strings_of(json_object_get(source, "personality_traits"));
    json_t *traits = json_array();
    for (;; at++) {
        size_t length = strcspn(at, ",");
        const char *trait = text_trim(ctx, edge_copy_bytes(ctx, at, length));
        if (trait[0] != '\0')
            json_array_append_new(traits, json_string(trait));
        at += length;
        if (*at == '\0')
            return traits;
    }
}

static json_t *objections_of(edge_ctx *ctx, const json_t *source)
{
    const char *text = edge_json_text(source, "typicalObjections");
    if (text == NULL)
        return strings_of(json_object_get(source, "objection_patterns"));
    json_t *list = edge_json_parse(ctx, text, strlen(text));
    return json_is_array(list) ? strings_of(list) : json_pack("[s]", text);
}

static json_t *map_persona(edge_ctx *ctx, const json_t *source)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "persona_key",
        text_or(ctx, FIRST(source, "personaKey", "persona_key"), NULL), "persona_name",
        text_or(ctx, FIRST(source, "personaName", "persona_name"), NULL), "description",
        text_or(ctx, FIRST(source, "description"), NULL), "personality_traits", traits_of(ctx, source),
        "communication_style", text_or(ctx, FIRST(source, "speakingStyle", "communication_style"), NULL),
        "objection_patterns", objections_of(ctx, source), "decision_making_style",
        text_or(ctx, FIRST(source, "decision_making_style"), NULL), "is_active",
        flag_or(FIRST(source, "isActive", "is_active"), true));
}

static json_t *map_voice(edge_ctx *ctx, const json_t *source)
{
    json_t *preview = FIRST(source, "previewAudioUrl"), *settings = FIRST(source, "voice_settings");
    json_t *kept = preview != NULL    ? json_pack("{s:O}", "previewAudioUrl", preview)
                   : settings != NULL ? parsed(ctx, settings)
                                      : json_object();
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "voice_name",
        text_or(ctx, FIRST(source, "name", "voice_name"), NULL), "voice_id",
        text_or(ctx, FIRST(source, "voice_id"), NULL), "voice_settings", kept, "agent_type",
        text_or(ctx, FIRST(source, "agent_type"), "executive_assistant"), "is_default",
        flag_or(FIRST(source, "is_default"), false));
}

/* A time that PostgreSQL would refuse would lose the whole page. */
static json_t *time_or_null(edge_ctx *ctx, const json_t *value)
{
    int64_t at_us;
    return iso_time_read(json_string_value(value), &at_us) ? json_string(edge_iso_time(ctx, at_us))
                                                           : json_null();
}

static json_t *call_metadata(edge_ctx *ctx, const json_t *source)
{
    static const char *const carried[] = { "conversationId", "callSid", "campaignName", "endedAt",
        "prospectFirstName", "prospectLastName", NULL };
    json_t *given = FIRST(source, "metadata");
    json_t *metadata = given != NULL ? parsed(ctx, given) : json_object();
    if (!json_is_object(metadata))
        metadata = json_object();
    for (const char *const *name = carried; *name != NULL; name++)
        if (FIRST(source, *name) != NULL)
            json_object_set(metadata, *name, FIRST(source, *name));
    json_object_set_new(metadata, "external_source", json_string("platform_sync"));
    json_object_set(metadata, "external_id", json_object_get(source, "id"));
    return metadata;
}

static json_t *json_or(edge_ctx *ctx, json_t *value, json_t *fallback)
{
    return value != NULL ? parsed(ctx, value) : fallback;
}

static json_t *map_call(edge_ctx *ctx, const json_t *source)
{
    int seconds;
    if (!read_integer(FIRST(source, "duration"), &seconds) &&
        !read_integer(FIRST(source, "duration_seconds"), &seconds))
        seconds = 0;
    json_t *row = json_pack("{s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o}", "user_email",
        text_or(ctx, FIRST(source, "userEmail"), NULL), "contact_name",
        text_or(ctx, FIRST(source, "contactName", "contact_name"), NULL), "phone_number",
        text_or(ctx, FIRST(source, "contactPhone", "phone_number"), NULL), "call_type",
        text_or(ctx, FIRST(source, "call_type"), "outbound"), "status",
        text_or(ctx, FIRST(source, "status"), "completed"), "duration_seconds", seconds > 0 ? seconds : 0,
        "recording_url", text_or(ctx, FIRST(source, "recordingUrl", "recording_url"), NULL), "notes",
        text_or(ctx, FIRST(source, "notes"), NULL), "conversation_id",
        text_or(ctx, FIRST(source, "conversationId", "conversation_id"), NULL), "call_sid",
        text_or(ctx, FIRST(source, "callSid", "call_sid"), NULL), "metadata", call_metadata(ctx, source));
    json_object_set_new(row, "ended_at", time_or_null(ctx, FIRST(source, "endedAt", "ended_at")));
    json_object_set_new(
        row, "created_at", time_or_null(ctx, FIRST(source, "created_date", "createdAt", "created_at")));
    json_object_set_new(row, "transcript", json_or(ctx, FIRST(source, "transcript"), json_array()));
    json_object_set_new(row, "analysis", json_or(ctx, FIRST(source, "analysis"), json_object()));
    json_object_set_new(row, "form_data", json_or(ctx, FIRST(source, "formData", "form_data"), json_object()));
    return row;
}

static json_t *map_pack(edge_ctx *ctx, const json_t *source)
{
    json_t *networks = FIRST(source, "socialNetworks");
    networks = networks != NULL ? parsed(ctx, networks) : NULL;
    json_t *item = json_pack("{s:o, s:o, s:o, s:o, s:o}", "type", text_or(ctx, FIRST(source, "type"), "link"),
        "url", text_or(ctx, FIRST(source, "url"), NULL), "thumbnail",
        text_or(ctx, FIRST(source, "thumbnailUrl", "icon"), NULL), "socialNetworks",
        json_is_array(networks) ? networks : json_array(), "isPremium",
        flag_or(FIRST(source, "isPremium"), false));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:[o]}", "title",
        text_or(ctx, FIRST(source, "title"), NULL), "description",
        text_or(ctx, FIRST(source, "description"), NULL), "category",
        text_or(ctx, FIRST(source, "category"), "marketing"), "icon",
        text_or(ctx, FIRST(source, "thumbnailUrl", "icon"), NULL), "sort_order",
        integer_or(FIRST(source, "sortOrder", "sort_order"), 0), "is_active",
        flag_or(FIRST(source, "isActive", "is_active"), true), "content_items", item);
}

static const char *const template_required[] = { "title", "category", "action_type", "trigger_type", NULL };
static const char *const persona_required[] = { "persona_key", "persona_name", NULL };
static const char *const pack_required[] = { "title", NULL };
static const char *const none_required[] = { NULL };

const struct platform_table platform_tables[] = {
    { "task_templates",
        "WITH page AS (SELECT DISTINCT ON (id) r.* FROM jsonb_to_recordset($1) AS r(id uuid, title text, "
        "description text,"
        " category text, action_type text, priority text, trigger_type text, trigger_value integer, "
        "trigger_max integer,"
        " display_category text, is_active boolean, priority_weight integer, impact_area text)"
        " WHERE $2::text IS NOT DISTINCT FROM $2 AND $3::text IS NOT NULL"
        "), written AS (INSERT INTO task_templates (id, title, description, category, action_type, priority,"
        " trigger_type, trigger_value, trigger_max, display_category, is_active, priority_weight, impact_area)"
        " SELECT id, title, description, category, action_type, priority, trigger_type, trigger_value, "
        "trigger_max,"
        " display_category, is_active, priority_weight, impact_area FROM page"
        " ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, description = EXCLUDED.description,"
        " category = EXCLUDED.category, action_type = EXCLUDED.action_type, priority = EXCLUDED.priority,"
        " trigger_type = EXCLUDED.trigger_type, trigger_value = EXCLUDED.trigger_value,"
        " trigger_max = EXCLUDED.trigger_max, display_category = EXCLUDED.display_category,"
        " is_active = EXCLUDED.is_active, priority_weight = EXCLUDED.priority_weight,"
        " impact_area = EXCLUDED.impact_area, updated_at = now()" COUNTS,
        PRUNE("task_templates"), false, map_template, template_required },
    { "client_personas",
        "WITH page AS (SELECT DISTINCT ON (persona_key) r.* FROM jsonb_to_recordset($1) AS r(id uuid, "
        "persona_key text,"
        " persona_name text, description text, personality_traits text[], communication_style text,"
        " objection_patterns text[], decision_making_style text, is_active boolean)"
        " WHERE $2::text IS NOT DISTINCT FROM $2 AND $3::text IS NOT NULL"
        "), written AS (INSERT INTO client_personas (id, persona_key, persona_name, description, "
        "personality_traits,"
        " communication_style, objection_patterns, decision_making_style, is_active)"
        " SELECT id, persona_key, persona_name, description, personality_traits, communication_style,"
        " objection_patterns, decision_making_style, is_active FROM page"
        " ON CONFLICT (persona_key) DO UPDATE SET persona_name = EXCLUDED.persona_name,"
        " description = EXCLUDED.description, personality_traits = EXCLUDED.personality_traits,"
        " communication_style = EXCLUDED.communication_style, objection_patterns = EXCLUDED.objection_patterns,"
        " decision_making_style = EXCLUDED.decision_making_style, is_active = EXCLUDED.is_active,"
        " updated_at = now()" COUNTS,
        PRUNE("client_personas"), false, map_persona, persona_required },
    { "agent_voices",
        "WITH page AS (SELECT DISTINCT ON (id) r.* FROM jsonb_to_recordset($1) AS r(id uuid, voice_name text, "
        "voice_id text,"
        " voice_settings jsonb, agent_type text, is_default boolean) WHERE $3::text IS NOT NULL"
        "), written AS (INSERT INTO agent_voices (id, user_id, voice_name, voice_id, voice_settings, "
        "agent_type,"
        " is_default) SELECT id, $2, voice_name, voice_id, voice_settings, agent_type, is_default FROM page"
        " ON CONFLICT (id) DO UPDATE SET user_id = EXCLUDED.user_id, voice_name = EXCLUDED.voice_name,"
        " voice_id = EXCLUDED.voice_id, voice_settings = EXCLUDED.voice_settings, agent_type = "
        "EXCLUDED.agent_type,"
        " is_default = EXCLUDED.is_default, updated_at = now()" COUNTS,
        PRUNE("agent_voices") " AND user_id = $2", true, map_voice, none_required },
    { "call_logs",
        "WITH page AS (SELECT DISTINCT ON (id) r.* FROM jsonb_to_recordset($1) AS r(id uuid, user_email text,"
        " contact_name text, phone_number text, call_type text, status text, duration_seconds integer,"
        " recording_url text, notes text, conversation_id text, call_sid text, ended_at timestamptz, "
        "transcript jsonb,"
        " analysis jsonb, form_data jsonb, created_at timestamptz, metadata jsonb)"
        "), owners AS (SELECT DISTINCT ON (lower(email)) lower(email) AS email, id FROM profiles"
        " WHERE lower(email) IN (SELECT lower(user_email) FROM page) ORDER BY lower(email), created_at, id"
        "), written AS (INSERT INTO call_logs (id, user_id, contact_name, phone_number, call_type, status,"
        " duration_seconds, recording_url, notes, conversation_id, call_sid, ended_at, transcript, analysis, "
        "form_data,"
        " created_at, metadata)"
        " SELECT p.id, coalesce(o.id, $2), contact_name, phone_number, call_type, status, duration_seconds,"
        " recording_url, notes, conversation_id, call_sid, ended_at, transcript, analysis, form_data,"
        " coalesce(created_at, now()), metadata || jsonb_build_object('sync_run_id', $3)"
        " FROM page p LEFT JOIN owners o ON o.email = lower(p.user_email)"
        " ON CONFLICT (id) DO UPDATE SET user_id = EXCLUDED.user_id, contact_name = EXCLUDED.contact_name,"
        " phone_number = EXCLUDED.phone_number, call_type = EXCLUDED.call_type, status = EXCLUDED.status,"
        " duration_seconds = EXCLUDED.duration_seconds, recording_url = EXCLUDED.recording_url,"
        " notes = EXCLUDED.notes, conversation_id = EXCLUDED.conversation_id, call_sid = EXCLUDED.call_sid,"
        " ended_at = EXCLUDED.ended_at, transcript = EXCLUDED.transcript, analysis = EXCLUDED.analysis,"
        " form_data = EXCLUDED.form_data, created_at = EXCLUDED.created_at, metadata = "
        "EXCLUDED.metadata" COUNTS,
        "DELETE FROM call_logs WHERE metadata ->> 'external_source' = 'platform_sync'"
        " AND metadata ->> 'sync_run_id' IS DISTINCT FROM $3"
        " AND $1::timestamptz IS NOT NULL AND $2::text IS NOT DISTINCT FROM $2",
        true, map_call, none_required },
    { "featured_content_packs",
        "WITH page AS (SELECT DISTINCT ON (id) r.* FROM jsonb_to_recordset($1) AS r(id uuid, title text, "
        "description text,"
        " category text, icon text, sort_order integer, is_active boolean, content_items jsonb)"
        " WHERE $2::text IS NOT DISTINCT FROM $2 AND $3::text IS NOT NULL"
        "), written AS (INSERT INTO featured_content_packs (id, title, description, category, icon, sort_order,"
        " is_active, content_items) SELECT id, title, description, category, icon, sort_order, is_active, "
        "content_items"
        " FROM page ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, description = EXCLUDED.description,"
        " category = EXCLUDED.category, icon = EXCLUDED.icon, sort_order = EXCLUDED.sort_order,"
        " is_active = EXCLUDED.is_active, content_items = EXCLUDED.content_items, updated_at = now()" COUNTS,
        PRUNE("featured_content_packs"), false, map_pack, pack_required },
    { .name = NULL },
};

static bool is_uuid(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36 && text[8] == '-' &&
           text[13] == '-' && text[18] == '-' && text[23] == '-' && strcspn(text + 24, "-") == 12;
}

json_t *platform_row(
    edge_ctx *ctx, const struct platform_table *table, const json_t *source, const char **error)
{
    const json_t *given = json_object_get(source, "id");
    const char *id = json_is_integer(given) ? edge_json_dump(ctx, given, NULL) : json_string_value(given);
    if (id == NULL || id[0] == '\0') {
        *error = "row without id";
        return NULL;
    }
    json_t *row = table->map(ctx, source);
    for (const char *const *column = table->required; *column != NULL; column++)
        if (json_is_null(json_object_get(row, *column))) {
            *error = edge_format(ctx, "row %s: %s is required", id, *column);
            return NULL;
        }
    const char *name = edge_format(ctx, "pulse-external/%s/%s", table->name, id);
    json_object_set_new(row, "id", json_string(is_uuid(id) ? id : edge_uuid_v5_url(ctx, name)));
    return row;
}
