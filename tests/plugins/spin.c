/*
 * spin: holds its worker, by computing or in a system call; what the watchdog is there for.
 */
#include <edge/edge.h>

#include <string.h>
#include <unistd.h>

static const char *const ways[] = { "compute", "block", NULL };

static const edge_field input[] = {
    { "how", EDGE_ENUM, .values = ways, .fallback = "compute", .help = "With or without the processor" },
    { 0 },
};

static json_t *spin(edge_ctx *ctx, json_t *in)
{
    (void)ctx;
    if (strcmp(json_string_value(json_object_get(in, "how")), "block") == 0)
        sleep(3600);
    for (volatile bool forever = true; forever;)
        continue;
    return NULL;
}

EDGE_FUNCTION(spin, .summary = "Never gives its worker back", .input = input, .handle = spin);
