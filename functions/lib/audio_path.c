/*
 * Paths of recordings.
 */
#include "lib/audio_path.h"

#include <string.h>

#define RECORDINGS "audio-recordings"

static const char *const buckets[] = { RECORDINGS, "agent-voices", "generated-content", NULL };

EDGE_NORETURN static void refuse(edge_ctx *ctx, const char *field, const char *what)
{
    edge_fail_with(
        ctx, 400, "invalid_input", .message = edge_format(ctx, "%s %s", field, what), .field = field);
}

static const char *known_bucket(const char *name, size_t length)
{
    for (const char *const *bucket = buckets; *bucket != NULL; bucket++)
        if (strlen(*bucket) == length && strncmp(*bucket, name, length) == 0)
            return *bucket;
    return NULL;
}

/* No empty segments, none that climbs, nothing that a path on a disk or in a URL would read as something else.
 */
static bool is_path(const char *path)
{
    for (const char *at = path; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f || *at == '\\')
            return false;
    for (const char *at = path;; at++) {
        size_t length = strcspn(at, "/");
        if (length == 0 || (length == 1 && at[0] == '.') || (length == 2 && strncmp(at, "..", 2) == 0))
            return false;
        at += length;
        if (*at == '\0')
            return true;
    }
}

/* As "http:" or "file:". A colon later on is part of a name. */
static bool has_scheme(const char *uri)
{
    return uri[strcspn(uri, ":/")] == ':' && strstr(uri, "://") != NULL;
}

struct audio_path audio_path_of_uri(edge_ctx *ctx, const char *uri)
{
    if (has_scheme(uri))
        refuse(ctx, "file_uri", "must be a path in the storage, or an https URL");
    if (!is_path(uri))
        refuse(ctx, "file_uri", "is no path in the storage");

    size_t first = strcspn(uri, "/");
    const char *bucket = known_bucket(uri, first);
    if (bucket == NULL)
        return (struct audio_path){ RECORDINGS, uri };
    if (uri[first] == '\0')
        refuse(ctx, "file_uri", "names a bucket and no object");
    return (struct audio_path){ bucket, uri + first + 1 };
}

struct audio_path audio_path_of(edge_ctx *ctx, const char *bucket, const char *path)
{
    if (bucket == NULL || path == NULL)
        refuse(ctx, "file_uri", "is required, or bucket and path");
    const char *known = known_bucket(bucket, strlen(bucket));
    if (known == NULL)
        refuse(ctx, "bucket", "must be one of audio-recordings, agent-voices, generated-content");
    if (!is_path(path))
        refuse(ctx, "path", "is no path in the storage");
    return (struct audio_path){ known, path };
}

bool audio_path_belongs_to(const struct audio_path *audio, const char *user)
{
    size_t length = strlen(user);
    return strncmp(audio->path, user, length) == 0 && audio->path[length] == '/';
}
