/*
 * Constructors of bound values.
 */
#include <edge/base.h>

edge_arg edge_null(void)
{
    return (edge_arg){ .type = EDGE_ARG_NULL };
}

edge_arg edge_int(int64_t value)
{
    return (edge_arg){ .type = EDGE_ARG_INT, .integer = value };
}

edge_arg edge_number(double value)
{
    return (edge_arg){ .type = EDGE_ARG_NUMBER, .number = value };
}

edge_arg edge_bool(bool value)
{
    return (edge_arg){ .type = EDGE_ARG_BOOL, .integer = value };
}

edge_arg edge_text(const char *utf8)
{
    return (edge_arg){ .type = EDGE_ARG_TEXT, .data = utf8 };
}

edge_arg edge_uuid(const char *text)
{
    return (edge_arg){ .type = EDGE_ARG_UUID, .data = text };
}

edge_arg edge_json(const json_t *value)
{
    return (edge_arg){ .type = EDGE_ARG_JSON, .data = value };
}

edge_arg edge_bytes(const void *data, size_t length)
{
    return (edge_arg){ .type = EDGE_ARG_BYTES, .data = data, .length = length };
}

edge_arg edge_time(int64_t microseconds)
{
    return (edge_arg){ .type = EDGE_ARG_TIME, .integer = microseconds };
}

edge_arg edge_texts(const char *const *items, size_t count)
{
    return (edge_arg){ .type = EDGE_ARG_TEXTS, .data = items, .length = count };
}

edge_arg edge_decimal(const char *text)
{
    return (edge_arg){ .type = EDGE_ARG_DECIMAL, .data = text };
}

edge_arg edge_date(const char *text)
{
    return (edge_arg){ .type = EDGE_ARG_DATE, .data = text };
}

edge_arg edge_ints(const int64_t *items, size_t count)
{
    return (edge_arg){ .type = EDGE_ARG_INTS, .data = items, .length = count };
}

edge_arg edge_uuids(const char *const *items, size_t count)
{
    return (edge_arg){ .type = EDGE_ARG_UUIDS, .data = items, .length = count };
}

edge_arg edge_decimals(const char *const *items, size_t count)
{
    return (edge_arg){ .type = EDGE_ARG_DECIMALS, .data = items, .length = count };
}
