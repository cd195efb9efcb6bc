/*
 * Marketing images (spec ai.md, generateImageTool): what the two functions that make them share, which is all.
 */
#ifndef LIB_IMAGE_H
#define LIB_IMAGE_H

#include <edge/edge.h>

extern const edge_field image_input[], image_output[];

/* Makes an image, stores it where there is a store, and answers with its URL; return the result. */
json_t *image_generate(edge_ctx *ctx, json_t *in);

#endif
