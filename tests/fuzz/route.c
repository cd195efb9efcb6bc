/*
 * Request paths: whatever is asked for, what is found lies inside the scratch memory and leads nowhere upwards.
 */
#include <http/route.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct function_config functions[] = {
    { .name = "x", .route = "/functions/v1/x", .enabled = true },
    { .name = "named", .route = "/functions/v1/{name}/detail", .enabled = true },
    { .name = "files", .route = "/files/{bucket}/*", .enabled = true },
    { .name = "any", .route = "/a/*", .enabled = true },
};

static void check(const struct route_match *match)
{
    if (strstr(match->path, "/../") != NULL || strlen(match->rest) > strlen(match->path))
        abort();
    for (const edge_header *param = match->params; param->name != NULL; param++)
        if (strlen(param->name) == 0 || strcmp(param->value, "..") == 0 || strstr(param->value, "/../") != NULL)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct route_table *table;
    struct route_error error;
    if (table == NULL && route_table_create(functions, 4, &table, &error) < 0)
        abort();

    struct route_match match;
    char *path = malloc(size + 1), *scratch = malloc(route_scratch_bytes(table, size));
    memcpy(path, data, size);
    path[size] = '\0';
    int result = route_find(table, path, size, scratch, &match);
    if (result == 0)
        check(&match);
    else if (result != -ENOENT && result != -EINVAL)
        abort();
    route_drop_region(path);
    free(path);
    free(scratch);
    return 0;
}
