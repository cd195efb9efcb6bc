/*
 * Where a recording is, as clients name it (spec ai.md, getSignedAudioUrl). What is malformed ends the
 * invocation with 400 "invalid_input", naming the field.
 */
#ifndef LIB_AUDIO_PATH_H
#define LIB_AUDIO_PATH_H

#include <edge/edge.h>

struct audio_path {
    const char *bucket, *path;
};

/* Of a row's recording_url: with the bucket as its first segment, or in the bucket of recordings. */
struct audio_path audio_path_of_uri(edge_ctx *ctx, const char *uri);

/* Of a bucket and a path; neither given is an error of file_uri. */
struct audio_path audio_path_of(edge_ctx *ctx, const char *bucket, const char *path);

/* Whether its first segment is the user's id. */
bool audio_path_belongs_to(const struct audio_path *audio, const char *user);

#endif
