/*
 * generateImageTool: a marketing image, the tool of SIRIUS, and what the market-pack page calls. All of it is
 * lib/image.
 */
#include <edge/edge.h>

#include "lib/completion.h"
#include "lib/image.h"

EDGE_FUNCTION(generateImageTool,
    .summary = "A marketing image for a prompt",
    .input = image_input,
    .output = image_output,
    .handle = image_generate,
    .shape = &completion_shape,
    .trims = true);
