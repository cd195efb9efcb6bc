/*
 * getSignedAudioUrl: a URL by which the caller's own recording can be played for a while. Two round trips to
 * the database at most: the caller's rows, and the list of stored objects.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/audio_path.h"
#include "lib/object.h"

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "file_uri", EDGE_TEXT, .min = 1, .max = 1024,
        .help = "A row's recording_url; goes before bucket and path" },
    { "bucket", EDGE_TEXT, .help = "audio-recordings, agent-voices or generated-content" },
    { "path", EDGE_TEXT, .min = 1, .max = 1024,
        .help = "Path within the bucket, beginning with the user's id" },
    { "expiresIn", EDGE_INT, .min = 60, .max = 86400, .fallback = "3600", .help = "Seconds" },
    { 0 },
};

static const edge_field output[] = {
    { "signedUrl", EDGE_URL, .required = true, .help = "Where it can be played" },
    { "signed_url", EDGE_URL, .required = true, .help = "The same" },
    { "expiresIn", EDGE_INT, .help = "Seconds; null for a recording that is kept elsewhere" },
    { "expiresAt", EDGE_DATETIME, .help = "null for a recording that is kept elsewhere" },
    { 0 },
};

/* Whether one of the caller's calls or role plays has this recording, by any of the names that rows use. */
static bool is_recorded(edge_ctx *ctx, const char *url, const char *qualified)
{
    edge_rows *found = edge_query(ctx,
        "SELECT EXISTS (SELECT FROM call_logs WHERE recording_url IN ($1, $2))"
        " OR EXISTS (SELECT FROM role_play_session_logs WHERE recording_url IN ($1, $2)) AS found",
        edge_text(url), edge_text(qualified));
    return edge_rows_bool(found, 0, "found");
}

static json_t *answer(const char *url, json_t *expires_in, json_t *expires_at)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "signedUrl", url, "signed_url", url, "expiresIn", expires_in,
        "expiresAt", expires_at);
}

/* A recording that is kept elsewhere: its URL is handed back when it is the caller's, and to nobody else. */
static json_t *external(edge_ctx *ctx, const char *url)
{
    if (!is_recorded(ctx, url, url))
        edge_fail(ctx, 403, "forbidden", "This recording is none of yours");
    return answer(url, json_null(), json_null());
}

static json_t *sign(edge_ctx *ctx, json_t *in)
{
    const char *uri = edge_json_text(in, "file_uri");
    if (uri != NULL && strncmp(uri, "https://", 8) == 0)
        return external(ctx, uri);

    struct audio_path audio =
        uri != NULL ? audio_path_of_uri(ctx, uri)
                    : audio_path_of(ctx, edge_json_text(in, "bucket"), edge_json_text(in, "path"));
    /* Before anything is looked up: a caller may edit the rows of their own, so a row alone proves nothing. */
    if (!audio_path_belongs_to(&audio, edge_auth_user(ctx)))
        edge_fail(ctx, 403, "forbidden", "This recording is none of yours");
    if (!is_recorded(ctx, audio.path, edge_format(ctx, "%s/%s", audio.bucket, audio.path)) &&
        !object_is_listed(ctx, audio.bucket, audio.path))
        edge_fail(ctx, 404, "not_found", "There is no such recording");

    int64_t seconds = edge_json_int(in, "expiresIn", 0);
    return answer(edge_storage_sign_url(ctx, audio.bucket, audio.path, seconds), json_integer(seconds),
        json_string(edge_iso_time(ctx, edge_now(ctx) + seconds * 1000000)));
}

EDGE_FUNCTION(getSignedAudioUrl,
    .summary = "A URL that plays one of the caller's recordings for a while",
    .input = input,
    .output = output,
    .handle = sign,
    .trims = true);
