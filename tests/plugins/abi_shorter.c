/*
 * abi_shorter: its descriptor ends after .handle, as one of an older minor version ends early. What lies behind
 * it belongs to something else, and must not be taken for members.
 */
#include <edge/edge.h>

/* The older version's descriptor: the first members of today's. */
struct older_function {
    uint32_t size;
    uint16_t abi_major, abi_minor;
    const char *name, *summary;
    const edge_field *input;
    json_t *(*handle)(edge_ctx *ctx, json_t *in);
};

_Static_assert(sizeof(struct older_function) == offsetof(edge_function, methods), "members keep their places");

static json_t *answer(edge_ctx *ctx, json_t *in)
{
    (void)in;
    return json_pack("{s:s}", "method", edge_request_method(ctx));
}

/* Where today's methods, shape, env, sql, flags, init, exit and self_test would be. */
struct older_object {
    struct older_function function;
    uintptr_t others[16];
};

#define NOT_A_POINTER 0xdeadbeefdeadbee0u

extern const struct older_object edge_plugin;
__attribute__((visibility("default"))) const struct older_object edge_plugin = {
    .function = { .size = sizeof(struct older_function),
        .abi_major = EDGE_ABI_MAJOR,
        .abi_minor = 0,
        .name = "abi_shorter",
        .summary = "Declared by an older version's macro",
        .handle = answer },
    .others = { NOT_A_POINTER, NOT_A_POINTER, NOT_A_POINTER, NOT_A_POINTER, NOT_A_POINTER, NOT_A_POINTER,
        NOT_A_POINTER, NOT_A_POINTER, NOT_A_POINTER },
};
