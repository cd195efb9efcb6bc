/*
 * processReferral: rewards the referrer once when a referred person has signed up. One transaction of the
 * service, for it touches two users; what was found decides how many round trips it takes, five at most.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/credits.h"

#define REWARD 5

static const edge_field input[] = {
    { "referralId", EDGE_UUID, .help = "A referral that is there; or instead of it:" },
    { "referrerId", EDGE_TEXT, .min = 1, .max = 255, .help = "Who referred" },
    { "newUserId", EDGE_TEXT, .min = 1, .max = 255,
        .help = "Who signed up: the caller; required under the service key" },
    { "newUserEmail", EDGE_EMAIL, .help = "Used where the profile has none" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "success", EDGE_BOOL, .required = true, .help = "Whether there was a reward now" },
    { "creditsAwarded", EDGE_INT, .required = true, .help = "0 without one" },
    { "error", EDGE_TEXT, .help = "Why there was none" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "creditsAwarded", EDGE_INT, .required = true, .help = "What the referrer got now" },
    { "alreadyProcessed", EDGE_BOOL, .required = true, .help = "Whether the new user was rewarded for before" },
    { "referralId", EDGE_UUID, .help = "null: somebody else has referred the user" },
    { "data", EDGE_OBJECT, .fields = data_fields, .required = true, .help = "The same in the old shape" },
    { 0 },
};

static const edge_problem problems[] = {
    { 400, "self_referral", "Referrer and new user are the same" },
    { 404, "referral_not_found", "There is no such referral, or it is none of the caller's" },
    { 404, "referrer_not_found", "The referrer has no profile" },
    { 404, "user_not_found", "The new user has no profile" },
    { 409, "referral_expired", "The new user signed up more than 60 days ago" },
    { 409, "balance_limit", "The referrer has as many credits as one can have" },
    { 0 },
};

/* A referral, locked; id NULL: the new user has been referred by somebody else. */
struct referral {
    const char *id, *referrer;
    bool pending, rewarded;
};

static bool is_service(edge_ctx *ctx)
{
    return edge_auth_caller(ctx) == EDGE_CALLER_SERVICE;
}

EDGE_NORETURN static void fail_field(edge_ctx *ctx, const char *field, const char *message)
{
    edge_fail_with(ctx, 400, "invalid_input", .message = message, .field = field);
}

static struct referral referral_of(const edge_rows *rows)
{
    return (struct referral){
        .id = edge_rows_text(rows, 0, "id"),
        .referrer = edge_rows_text(rows, 0, "referrer_user_id"),
        .pending = edge_rows_null(rows, 0, "referred_user_id"),
        .rewarded = edge_rows_bool(rows, 0, "reward_granted"),
    };
}

static struct referral find_by_id(edge_ctx *ctx, edge_tx *tx, const char *id)
{
    edge_rows *rows = edge_tx_query(tx,
        "SELECT id, referrer_user_id, referred_user_id, reward_granted FROM referrals"
        " WHERE id = $1 AND ($2::text IS NULL OR $2 IN (referrer_user_id, referred_user_id))"
        " FOR UPDATE",
        edge_uuid(id), edge_text(is_service(ctx) ? NULL : edge_auth_user(ctx)));
    if (edge_rows_count(rows) == 0)
        edge_fail(ctx, 404, "referral_not_found", "Referral \"%s\" does not exist", id);
    return referral_of(rows);
}

/* The new user's e-mail, NULL when the profile has none; fails where one of both cannot be in a referral. */
static const char *check_people(edge_ctx *ctx, edge_tx *tx, const char *referrer, const char *user)
{
    edge_rows *people = edge_tx_query(tx,
        "SELECT nullif(btrim(u.email), '') AS email, u.id IS NOT NULL AS is_user, r.id IS NOT NULL AS "
        "is_referrer,"
        " u.created_at < now() - interval '60 days' AS expired"
        " FROM (VALUES (1)) AS one"
        " LEFT JOIN profiles AS u ON u.id = $1"
        " LEFT JOIN profiles AS r ON r.id = $2",
        edge_text(user), edge_text(referrer));
    if (!edge_rows_bool(people, 0, "is_user"))
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", user);
    if (!edge_rows_bool(people, 0, "is_referrer"))
        edge_fail(ctx, 404, "referrer_not_found", "Referrer \"%s\" does not exist", referrer);
    if (edge_rows_bool(people, 0, "expired"))
        edge_fail(ctx, 409, "referral_expired", "User \"%s\" signed up more than 60 days ago", user);
    return edge_rows_text(people, 0, "email");
}

/* The invitation that was sent to this address becomes the new user's; without one a referral is made. */
static struct referral make(edge_tx *tx, const char *referrer, const char *user, const char *email)
{
    edge_rows *rows = edge_tx_query(tx,
        "UPDATE referrals SET referred_user_id = $2"
        " WHERE id = ("
        "  SELECT id FROM referrals"
        "  WHERE referrer_user_id = $1 AND lower(referred_email) = lower($3) AND referred_user_id IS NULL"
        "  AND reward_granted IS NOT TRUE"
        "  ORDER BY created_at, id LIMIT 1 FOR UPDATE)"
        " RETURNING id, referrer_user_id, referred_user_id, reward_granted",
        edge_text(referrer), edge_text(user), edge_text(email));
    if (edge_rows_count(rows) == 0)
        rows = edge_tx_query(tx,
            "INSERT INTO referrals (referrer_user_id, referred_user_id, referred_email, status)"
            " VALUES ($1, $2, $3, 'pending')"
            " RETURNING id, referrer_user_id, referred_user_id, reward_granted",
            edge_text(referrer), edge_text(user), edge_text(email));
    return referral_of(rows);
}

/* One reward for a person, ever: whoever referred first. The lock makes the look and the insertion one step. */
static struct referral find_by_people(edge_ctx *ctx, edge_tx *tx, json_t *in, const char *user)
{
    const char *referrer = edge_json_text(in, "referrerId");
    const char *email = check_people(ctx, tx, referrer, user);
    edge_tx_send(
        tx, "SELECT pg_advisory_xact_lock(hashtextextended('processReferral:' || $1, 0))", edge_text(user));
    edge_rows *rows = edge_tx_query(tx,
        "SELECT id, referrer_user_id, referred_user_id, reward_granted FROM referrals"
        " WHERE referred_user_id = $1 FOR UPDATE",
        edge_text(user));
    if (edge_rows_count(rows) > 0) {
        struct referral found = referral_of(rows);
        return strcmp(found.referrer, referrer) == 0 ? found : (struct referral){ .rewarded = true };
    }
    if (email == NULL)
        email = edge_json_text(in, "newUserEmail");
    if (email == NULL)
        fail_field(
            ctx, "newUserEmail", "newUserEmail is required: the new user's profile has no e-mail address");
    return make(tx, referrer, user, email);
}

static void reward(edge_ctx *ctx, edge_tx *tx, const struct referral *referral)
{
    struct credit_booking booking = {
        .user = referral->referrer,
        .operation = "add",
        .amount = REWARD,
        .type = "earned",
        .description = "Referral reward",
        .metadata = json_pack("{s:s}", "referral_id", referral->id),
    };
    credits_require(ctx, &booking, credits_book_in(ctx, tx, &booking));
    edge_tx_send(tx, "UPDATE referrals SET status = 'completed', reward_granted = true WHERE id = $1",
        edge_uuid(referral->id));
}

static json_t *answer(const struct referral *referral)
{
    bool rewards = !referral->pending && !referral->rewarded;
    json_int_t credits = rewards ? REWARD : 0;
    json_t *data = json_pack("{s:b, s:I}", "success", rewards, "creditsAwarded", credits);
    if (!rewards)
        json_object_set_new(data, "error",
            json_string(referral->rewarded ? "User already referred" : "Referral is still pending"));
    return json_pack("{s:b, s:I, s:b, s:s?, s:o}", "success", 1, "creditsAwarded", credits, "alreadyProcessed",
        referral->rewarded, "referralId", referral->id, "data", data);
}

/* Exactly one form; for the second one, who the new user is. */
static const char *check_form(edge_ctx *ctx, json_t *in)
{
    const char *referral = edge_json_text(in, "referralId"), *referrer = edge_json_text(in, "referrerId");
    const char *user = edge_json_text(in, "newUserId");
    if (!is_service(ctx) && user != NULL && strcmp(user, edge_auth_user(ctx)) != 0)
        edge_fail(ctx, 403, "user_mismatch", "newUserId names another user than the one signed in");
    if ((referral != NULL) == (referrer != NULL))
        fail_field(ctx, "referralId", "Either referralId or referrerId and newUserId are required");
    if (referral != NULL)
        return NULL;
    if (user == NULL && is_service(ctx))
        fail_field(ctx, "newUserId", "newUserId is required");
    if (user == NULL)
        user = edge_auth_user(ctx);
    if (strcmp(user, referrer) == 0)
        edge_fail(ctx, 400, "self_referral", "Nobody can refer himself");
    return user;
}

static json_t *process_referral(edge_ctx *ctx, json_t *in)
{
    const char *user = check_form(ctx, in);
    struct referral referral;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        referral = user == NULL ? find_by_id(ctx, tx, edge_json_text(in, "referralId"))
                                : find_by_people(ctx, tx, in, user);
        if (!referral.pending && !referral.rewarded)
            reward(ctx, tx, &referral);
    }
    return answer(&referral);
}

EDGE_FUNCTION(processReferral,
    .summary = "Rewards a referrer once when the referred person has signed up",
    .input = input,
    .output = output,
    .problems = problems,
    .handle = process_referral,
    .service_without_user = true);
