/*
 * createSkySlopeTransactionTool: opens a SkySlope file for a property, once for each idempotency key. Office,
 * agent and checklist are looked up the first time and kept with the connection.
 *
 * Three round trips (connection, audit row and its end), two more the first time; one to five calls to
 * SkySlope, and a login when there is no session yet.
 *
 * SkySlope: https://api.skyslope.com/docs (Files, Offices, Users).
 */
#include <edge/edge.h>

#include <ctype.h>
#include <string.h>

#include "lib/crm.h"
#include "lib/field.h"
#include "lib/idempotency.h"
#include "lib/skyslope.h"
#include "lib/text.h"

static const char *const sale_types[] = { "buyer", "purchase", "sale", "dual", "lease", NULL };
static const char *const types[] = { "buyer", "purchase", "sale", "dual", "lease", "seller", "listing", NULL };

static const edge_field input[] = {
    { "propertyAddress", EDGE_TEXT, .min = 8, .max = 300, .required = true,
        .help = "Street, unit if any, city, state and zip code" },
    { "transactionType", EDGE_TEXT, .required = true,
        .help = "buyer, purchase, sale, dual, lease; seller, listing" },
    { "clientName", EDGE_TEXT, .min = 0, .max = 200, .help = "Buyer of a sale, seller of a listing" },
    { "expectedCloseDate", EDGE_DATE, .help = "Of a sale" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated call with it opens nothing" },
    { "userId", EDGE_USER, .help = "Whose SkySlope; required under the service key" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "transactionId", EDGE_TEXT, .required = true, .help = "GUID of the file" },
    SKYSLOPE_KIND_FIELD,
    { "address", EDGE_TEXT, .required = true, .help = "As it was sent" },
    TOOL_MESSAGE_FIELD,
    CRM_WARNINGS_FIELD,
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

#define EXPECTED_ADDRESS                                                                                       \
    "Write it as 142 Maple St, Sacramento, CA 95814, with a unit before the city if there is one"

EDGE_NORETURN static void refuse_address(edge_ctx *ctx)
{
    edge_fail_with(ctx, 400, "invalid_input", .field = "propertyAddress", .suggestion = EXPECTED_ADDRESS,
        .message = "propertyAddress must be street, city, state and zip code, separated by commas");
}

/* Up to four parts between commas, trimmed; their number, 0 when there are more or one is empty. */
static size_t split(edge_ctx *ctx, const char *address, const char **parts)
{
    size_t count = 0;
    for (const char *at = address;; at++) {
        size_t length = strcspn(at, ",");
        if (count == 4)
            return 0;
        parts[count++] = text_trim(ctx, edge_copy_bytes(ctx, at, length));
        if (parts[count - 1][0] == '\0')
            return 0;
        at += length;
        if (*at == '\0')
            return count;
    }
}

static bool is_zip(const char *zip)
{
    static const char digits[] = "0123456789";
    size_t first = strspn(zip, digits);
    if (first != 5)
        return false;
    return zip[5] == '\0' || (zip[5] == '-' && strspn(zip + 6, digits) == 4 && zip[10] == '\0');
}

static json_t *read_address(edge_ctx *ctx, const char *address)
{
    enum {
        NUMBER_MAX = 10
    };
    const char *parts[4];
    size_t count = split(ctx, address, parts);
    if (count < 3)
        refuse_address(ctx);
    const char *street = parts[0], *place = parts[count - 1];
    size_t number = strcspn(street, " ");
    const char *rest = text_trim(ctx, street + number), *zip = text_trim(ctx, place + strcspn(place, " "));
    bool has_state = isalpha((unsigned char)place[0]) && isalpha((unsigned char)place[1]) && place[2] == ' ';
    if (!isdigit((unsigned char)street[0]) || number > NUMBER_MAX || rest[0] == '\0' || !has_state ||
        !is_zip(zip))
        refuse_address(ctx);
    const char *state =
        edge_format(ctx, "%c%c", toupper((unsigned char)place[0]), toupper((unsigned char)place[1]));
    return json_pack("{s:s%, s:s, s:s*, s:s, s:s, s:s}", "streetNumber", street, number, "streetAddress", rest,
        "unit", count == 4 ? parts[1] : NULL, "city", parts[count - 2], "state", state, "zip", zip);
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "propertyAddress"))
        read_address(ctx, json_string_value(value));
    return field_is(field, "transactionType") ? crm_choice(ctx, field, value, types) : value;
}

static const struct skyslope_kind *kind_of(const char *type)
{
    for (const char *const *sale = sale_types; *sale != NULL; sale++)
        if (strcmp(*sale, type) == 0)
            return &skyslope_sale;
    return &skyslope_listing;
}

/* Where a file goes. What the connection does not know yet is NULL. */
struct setup {
    struct skyslope *sky;
    const struct skyslope_kind *kind;
    json_t *office, *agent, *checklist;
};

static const char *checklist_key(const struct setup *setup)
{
    return setup->kind == &skyslope_sale ? "skyslope_checklist_type_id_sale"
                                         : "skyslope_checklist_type_id_listing";
}

EDGE_NORETURN static void fail_setup(const struct setup *setup, const char *missing)
{
    edge_fail_with(setup->sky->crm->ctx, 422, "skyslope_setup_incomplete",
        .message =
            edge_format(setup->sky->crm->ctx, "Failed to create transaction: SkySlope has no %s", missing),
        .suggestion = "Complete the account's set-up in SkySlope, then try again");
}

static json_t *present(json_t *value)
{
    return json_is_null(value) ? NULL : value;
}

/* The user by e-mail address, or the only one there is. */
static void *find_agent(edge_ctx *ctx, void *arg)
{
    struct setup *setup = arg;
    const char *user = edge_auth_user(ctx), *office = json_string_value(setup->office);
    edge_rows *profile = edge_service_query(ctx, CRM_PROFILE_SQL, edge_text(user));
    const char *email = edge_rows_count(profile) > 0 ? edge_rows_text(profile, 0, "email") : NULL;
    json_t *users =
        json_object_get(skyslope_call(setup->sky,
                            .path = edge_format(ctx, "/api/users?officeGuid=%s", edge_url_encode(ctx, office))),
            "users");
    json_t *one = json_array_size(users) == 1 ? json_array_get(users, 0) : NULL, *candidate;
    size_t i;
    json_array_foreach(users, i, candidate)
    {
        const char *address = edge_json_text(candidate, "email");
        if (email != NULL && address != NULL && strcasecmp(address, email) == 0)
            one = candidate;
    }
    setup->agent = present(json_object_get(one, "userGuid"));
    return NULL;
}

static void *find_checklist(edge_ctx *ctx, void *arg)
{
    struct setup *setup = arg;
    const char *path = edge_format(ctx, "/api/offices/%s/checklisttypes?transactionType=%s",
        edge_url_encode(ctx, json_string_value(setup->office)),
        setup->kind == &skyslope_sale ? "Sale" : "Listing");
    json_t *checklists = json_object_get(skyslope_call(setup->sky, .path = path), "checklistTypes");
    setup->checklist = present(json_object_get(json_array_get(checklists, 0), "checklistTypeId"));
    return NULL;
}

static void look_up(edge_ctx *ctx, struct setup *setup)
{
    if (setup->office == NULL) {
        json_t *offices = json_object_get(skyslope_call(setup->sky, .path = "/api/offices"), "offices");
        setup->office = json_object_get(json_array_get(offices, 0), "officeGuid");
    }
    if (!json_is_string(setup->office))
        fail_setup(setup, "office");
    edge_task *agent = setup->agent == NULL ? edge_spawn(ctx, find_agent, setup) : NULL;
    if (setup->checklist == NULL)
        find_checklist(ctx, setup);
    if (agent != NULL)
        edge_await(ctx, agent);
    if (setup->agent == NULL)
        fail_setup(setup, "agent for this user");
    if (setup->checklist == NULL)
        fail_setup(setup, "checklist type");
    connection_save_settings(setup->sky->crm->connection,
        json_pack("{s:O, s:O, s:O}", "skyslope_office_guid", setup->office, "skyslope_agent_guid", setup->agent,
            checklist_key(setup), setup->checklist));
}

static struct setup find_setup(edge_ctx *ctx, struct skyslope *sky, const struct skyslope_kind *kind)
{
    const json_t *known = sky->crm->connection->settings;
    struct setup setup = { .sky = sky, .kind = kind };
    setup.office = present(json_object_get(known, "skyslope_office_guid"));
    setup.agent = present(json_object_get(known, "skyslope_agent_guid"));
    setup.checklist = present(json_object_get(known, checklist_key(&setup)));
    if (setup.office == NULL || setup.agent == NULL || setup.checklist == NULL)
        look_up(ctx, &setup);
    return setup;
}

/* The file is there by now: a contact that fails is a warning. */
static void add_contact(struct skyslope *sky, const struct skyslope_kind *kind, const char *guid,
    const char *name, json_t *warnings)
{
    edge_ctx *ctx = sky->crm->ctx;
    const char *last = strrchr(name, ' ');
    const char *first = last != NULL ? text_trim(ctx, edge_copy_bytes(ctx, name, (size_t)(last - name))) : NULL;
    json_t *contact = json_pack("{s:s*, s:s}", "firstName", first, "lastName", last != NULL ? last + 1 : name);
    const char *path = edge_format(ctx, "%s/%s/%s", kind->path, edge_url_encode(ctx, guid),
        kind == &skyslope_sale ? "buyerContact" : "sellerContact");
    edge_reply *reply = skyslope_try_call(sky, .method = "POST", .path = path, .json = contact);
    if (crm_failure_of(sky->crm, reply) != NULL)
        json_array_append_new(warnings, json_string("client_not_added"));
}

static json_t *create_transaction(edge_ctx *ctx, json_t *in)
{
    const char *address = edge_json_text(in, "propertyAddress"), *client = edge_json_text(in, "clientName");
    const struct skyslope_kind *kind = kind_of(edge_json_text(in, "transactionType"));
    json_t *close_date = json_object_get(in, "expectedCloseDate"), *warnings = json_array();
    idempotency_key(ctx, in);

    struct skyslope *sky = skyslope_open(ctx, "Failed to create transaction");
    struct setup setup = find_setup(ctx, sky, kind);
    json_t *before = crm_begin(sky->crm, "createSkySlopeTransaction", input, in, NULL);
    if (before != NULL)
        return crm_replay(before);

    json_t *file = json_pack("{s:O, s:O, s:O, s:o}", "officeGuid", setup.office, "agentGuid", setup.agent,
        "checklistTypeId", setup.checklist, "property", read_address(ctx, address));
    if (close_date != NULL && kind == &skyslope_sale)
        json_object_set(file, "escrowClosingDate", close_date);
    else if (close_date != NULL)
        json_array_append_new(warnings, json_string("expected_close_date_ignored"));

    json_t *made = skyslope_call(sky, .method = "POST", .path = kind->path, .json = file);
    const char *guid = edge_json_text(made, kind->guid);
    if (guid == NULL || guid[0] == '\0')
        crm_fail(sky->crm, crm_unusable(sky->crm, "SkySlope named no file"));
    if (client != NULL)
        add_contact(sky, kind, guid, client, warnings);

    json_t *data =
        json_pack("{s:s, s:s, s:s}", "transactionId", guid, "fileType", kind->name, "address", address);
    json_t *answer = crm_answer(data, "SkySlope transaction created successfully");
    if (json_array_size(warnings) > 0)
        json_object_set(data, "warnings", warnings);
    crm_done(sky->crm, data);
    return answer;
}

EDGE_FUNCTION(createSkySlopeTransactionTool,
    .summary = "Opens a SkySlope file for a property",
    .input = input,
    .output = output,
    .handle = create_transaction,
    .check = check,
    .shape = &crm_shape,
    .trims = true);
