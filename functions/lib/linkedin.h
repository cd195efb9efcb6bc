/*
 * LinkedIn's two ways to post and to upload a picture: the UGC API, which is the documented one for self-serve
 * apps (https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/share-on-linkedin), and the
 * versioned Posts and Images APIs
 * (https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api).
 * LINKEDIN_POSTS_API chooses, ugc or rest; rest needs LINKEDIN_VERSION.
 */
#ifndef LIB_LINKEDIN_H
#define LIB_LINKEDIN_H

#include "lib/tool.h"

struct linkedin_post {
    const char *author; /* urn:li:person:... */
    const char *content, *link, *visibility;
    const char *image; /* URN of an uploaded picture; NULL without one */
};

/* A picture in memory. */
struct linkedin_image {
    const void *bytes;
    size_t length;
    const char *media_type;
};

/* 503 "not_configured" when the chosen way misses a variable. */
void linkedin_require(edge_ctx *ctx);

/* Uploads a picture for its owner; its URN. */
EDGE_RETURNS_NONNULL const char *linkedin_upload(
    struct tool *tool, const char *owner, const struct linkedin_image *image);

/* Publishes; the post's URN. */
EDGE_RETURNS_NONNULL const char *linkedin_publish(struct tool *tool, const struct linkedin_post *post);

#endif
