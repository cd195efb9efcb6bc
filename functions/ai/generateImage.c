/*
 * generateImage: a marketing image, what the older market-pack page calls; users only. All of it is lib/image.
 */
#include <edge/edge.h>

#include "lib/completion.h"
#include "lib/image.h"

EDGE_FUNCTION(generateImage,
    .summary = "A marketing image for a prompt, for the older page",
    .input = image_input,
    .output = image_output,
    .handle = image_generate,
    .shape = &completion_shape,
    .trims = true);
