/*
 * Bound values as libpq sends them.
 */
#ifndef DB_BIND_H
#define DB_BIND_H

#include <edge/db.h>

#include <libpq-fe.h>

/* One parameter. Fixed-size values go out in binary from scratch, everything else as text from data. */
struct param {
    const char *data; /* NULL: scratch holds it, unless null */
    uint64_t scratch; /* network byte order */
    int length;
    Oid type;
    bool binary, null;
};

/* One statement ready to be sent. Texts stay the caller's: they are borrowed until its fiber goes on. */
struct bound_statement {
    const char *sql;
    const struct param *params;
    size_t count;
    uint64_t hash; /* of the text and the parameters' types: the key of the prepared statement */
    bool unnamed;  /* not worth keeping prepared */
};

/* Binds a statement in the invocation's arena; ends the invocation (500) when it has too many arguments. */
struct bound_statement bind_statement(edge_ctx *ctx, const char *sql, const edge_arg *args, size_t count);

static inline const char *param_data(const struct param *param)
{
    if (param->null)
        return NULL;
    return param->data != NULL ? param->data : (const char *)&param->scratch;
}

#endif
