/*
 * Rows of Lofty, as ours.
 */
#include "lib/lofty_rows.h"

#include <ctype.h>
#include <string.h>

#include "lib/crm.h"
#include "lib/iso_time.h"
#include "lib/text.h"

#define YEAR_10000_MS 253402300800000LL

/* Epoch milliseconds, or one of the texts that iso_time knows. */
static bool read_time(const json_t *value, int64_t *at_us)
{
    if (!json_is_integer(value))
        return iso_time_read(json_string_value(value), at_us);
    json_int_t ms = json_integer_value(value);
    *at_us = ms * 1000;
    return ms >= 0 && ms < YEAR_10000_MS;
}

bool lofty_contact_changed(const json_t *lead, int64_t *at_us)
{
    return read_time(json_object_get(lead, "lastUpdateTime"), at_us);
}

bool lofty_deal_changed(const json_t *transaction, int64_t *at_us)
{
    return read_time(json_object_get(transaction, "updated"), at_us);
}

static json_t *time_json(edge_ctx *ctx, bool known, int64_t at_us)
{
    return known ? json_string(edge_iso_time(ctx, at_us)) : json_null();
}

static json_t *day_json(edge_ctx *ctx, const json_t *value)
{
    int64_t at_us;
    return read_time(value, &at_us) ? json_string(iso_day(ctx, at_us)) : json_null();
}

static json_t *digits_json(edge_ctx *ctx, const json_t *id)
{
    const char *digits = crm_digits(ctx, id);
    return digits != NULL ? json_string(digits) : json_null();
}

static json_t *number_json(const json_t *value)
{
    return json_is_number(value) ? json_incref((json_t *)value) : json_null();
}

static const char *trimmed(edge_ctx *ctx, const json_t *value)
{
    const char *text = json_string_value(value);
    const char *rest = text != NULL ? text_trim(ctx, text) : "";
    return rest[0] != '\0' ? rest : NULL;
}

/* The first address, when it has the form x@y.z. */
static const char *email_of(edge_ctx *ctx, const json_t *lead)
{
    const char *given = trimmed(ctx, json_array_get(json_object_get(lead, "emails"), 0));
    char *email = edge_copy(ctx, given);
    for (char *c = email; c != NULL && *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *at = email != NULL ? strchr(email, '@') : NULL;
    const char *dot = at != NULL ? strrchr(at, '.') : NULL;
    bool fits = dot != NULL && at > email && dot > at + 1 && dot[1] != '\0' && strchr(at + 1, '@') == NULL &&
                strpbrk(email, " \t\r\n") == NULL;
    return fits ? email : NULL;
}

static const char *phone_of(edge_ctx *ctx, const json_t *lead)
{
    const json_t *first = json_array_get(json_object_get(lead, "phones"), 0);
    const char *phone = trimmed(ctx, first);
    if (phone == NULL)
        phone = trimmed(ctx, json_object_get(first, "number"));
    return phone != NULL ? phone : trimmed(ctx, json_object_get(first, "phone"));
}

static const char *name_of(edge_ctx *ctx, const json_t *lead, const char *email, const char *phone)
{
    const char *first = edge_json_text(lead, "firstName"), *last = edge_json_text(lead, "lastName");
    const char *name =
        text_trim(ctx, edge_format(ctx, "%s %s", first != NULL ? first : "", last != NULL ? last : ""));
    if (name[0] != '\0')
        return name;
    return email != NULL ? email : phone != NULL ? phone : "Unknown";
}

static json_t *tags_of(const json_t *lead)
{
    json_t *tags = json_array(), *tag;
    size_t i;
    json_array_foreach(json_object_get(lead, "tags"), i, tag)
    {
        json_t *name = json_object_get(tag, "tagName");
        if (json_is_string(name))
            json_array_append(tags, name);
    }
    return tags;
}

json_t *lofty_contact(edge_ctx *ctx, const json_t *lead)
{
    const char *id = crm_digits(ctx, json_object_get(lead, "leadId"));
    if (id == NULL)
        return NULL;
    const char *email = email_of(ctx, lead), *phone = phone_of(ctx, lead);
    const char *stage = trimmed(ctx, json_object_get(lead, "stage"));
    int64_t changed_us = 0;
    bool known = lofty_contact_changed(lead, &changed_us);
    json_t *metadata =
        json_pack("{s:s, s:o, s:O?, s:O?, s:o, s:o}", "lofty_id", id, "tags", tags_of(lead), "custom_fields",
            json_object_get(lead, "customAttributes"), "lead_source", json_object_get(lead, "source"),
            "assigned_user_id", digits_json(ctx, json_object_get(lead, "assignedUserId")), "score",
            number_json(json_object_get(lead, "score")));
    return json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:o, s:o}", "external_id", id, "name",
        name_of(ctx, lead, email, phone), "email", email, "phone", phone, "status",
        stage != NULL ? stage : "lead", "source_updated_at", time_json(ctx, known, changed_us), "metadata",
        metadata);
}

static const char *deal_type(const char *type)
{
    static const char *const types[][2] = { { "Purchase", "buyer" }, { "Listing", "seller" },
        { "Lease", "lease" } };
    for (size_t i = 0; type != NULL && i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i][0]) == 0)
            return types[i][1];
    return "other";
}

/* The first rule that matches decides: "closed" stands before "contract". */
static const char *deal_status(edge_ctx *ctx, const char *lofty)
{
    static const char *const rules[][2] = { { "closed", "closed" }, { "settled", "closed" },
        { "won", "closed" }, { "cancel", "cancelled" }, { "terminat", "cancelled" },
        { "withdraw", "cancelled" }, { "expired", "cancelled" }, { "lost", "cancelled" },
        { "fell", "cancelled" }, { "pre-contract", "pending" }, { "pre contract", "pending" },
        { "contract", "under_contract" }, { "escrow", "under_contract" }, { "active", "active" },
        { "listed", "active" } };
    char *lower = edge_copy(ctx, lofty != NULL ? lofty : "");
    for (char *c = lower; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strstr(lower, rules[i][0]) != NULL)
            return rules[i][1];
    return "pending";
}

/* Numbers go as they are: PostgreSQL multiplies and rounds in decimal. */
json_t *lofty_deal(edge_ctx *ctx, const json_t *transaction)
{
    const char *id = crm_digits(ctx, json_object_get(transaction, "transactionId"));
    if (id == NULL)
        return NULL;
    const char *lofty_status = edge_json_text(transaction, "transactionStatus");
    int64_t changed_us = 0;
    bool known = lofty_deal_changed(transaction, &changed_us);
    json_t *closed = day_json(ctx, json_object_get(transaction, "closeDate"));
    json_t *expected = day_json(ctx, json_object_get(transaction, "expectedCloseDate"));
    json_t *price = number_json(json_object_get(transaction, "homePrice"));
    json_t *metadata = json_pack("{s:s, s:s, s:s?, s:o, s:O, s:O, s:o}", "lofty_id", id, "source", "lofty",
        "lofty_status", lofty_status, "lofty_lead_id", digits_json(ctx, json_object_get(transaction, "leadId")),
        "sale_price", price, "close_date", closed, "lofty_updated_at", time_json(ctx, known, changed_us));
    return json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:O, s:o, s:o, s:o, s:o}", "external_id", id,
        "transaction_type", deal_type(edge_json_text(transaction, "transactionType")), "property_address",
        trimmed(ctx, json_object_get(transaction, "transactionName")), "client_name",
        trimmed(ctx, json_object_get(transaction, "leadName")), "status", deal_status(ctx, lofty_status),
        "expected_close_date", json_is_null(expected) ? closed : expected, "gci",
        number_json(json_object_get(transaction, "gci")), "home_price", price, "commission_rate",
        number_json(json_object_get(transaction, "commissionRate")), "metadata", metadata);
}
