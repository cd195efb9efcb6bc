/*
 * The descriptor of a function: what a plugin exports, once.
 *
 * The input table validates the JSON body before the handler runs (400 "invalid_input" with "field"), fills
 * in fallbacks, and is what the OpenAPI document is made from.
 */
#ifndef EDGE_FUNCTION_H
#define EDGE_FUNCTION_H

#include <edge/base.h>

#pragma GCC visibility push(default)

/*
 * Version of everything in these headers that a compiled plugin depends on. The host takes plugins of its own
 * major version and up to its own minor version, and refuses others before anything of theirs runs.
 *
 * A minor version adds calls, values of enums, and members at the end of edge_function (an older, shorter
 * descriptor is completed with zeros) and of structs that only the host makes (edge_reply). A change of any
 * other struct, which plugins make themselves and in arrays (edge_field, edge_arg), is a major version.
 *
 * What there is, and since which version, is recorded in sdk/abi.txt. Whoever adds something raises the minor
 * version, unless it has been raised since the last release, and writes a line there.
 */
#define EDGE_ABI_MAJOR 1
#define EDGE_ABI_MINOR 1

typedef enum edge_type {
    EDGE_TEXT = 1, /* string; min and max count Unicode code points, white space around it left out */
    EDGE_INT,      /* JSON number without a fraction, min..max, never beyond 2^53 - 1 */
    EDGE_NUMBER,   /* JSON number, min..max */
    EDGE_BOOL,     /* true or false */
    EDGE_UUID,     /* string, 8-4-4-4-12 hexadecimal; handed over in lower case */
    EDGE_EMAIL,    /* string, addr-spec as HTML's input type=email takes it */
    EDGE_URL,      /* string, absolute http or https URL */
    EDGE_DATE,     /* string, YYYY-MM-DD, a real day */
    EDGE_DATETIME, /* string, ISO 8601; without an offset it is UTC */
    EDGE_ENUM,     /* string, one of values */
    EDGE_OBJECT,   /* object; fields describes its members */
    EDGE_ARRAY,    /* array of min..max items; items describes one */
    EDGE_JSON,     /* any JSON value; min and max bound its serialised size in bytes */
    EDGE_USER,     /* "userId": the caller's own id or absent; under the service key required, and acted for */
    EDGE_ID,    /* another system's number: JSON integer or string of digits, min..max below 2^63; an integer */
    EDGE_DAY,   /* string, EDGE_DATE or EDGE_DATETIME of 1900..2200; handed over as YYYY-MM-DD */
    EDGE_CLOCK, /* string, HH:MM or HH:MM:SS of 24 hours; handed over as HH:MM:SS */
    EDGE_PATTERN, /* string that all of values[0] matches, an extended regular expression (POSIX) */
    EDGE_MAP,     /* object of min..max members of any name; items describes each one's value */
} edge_type;

/*
 * One input field. null and, for optional fields, "" count as absent. A string anywhere in the body that holds
 * U+0000 is refused, whether a table describes it or not: PostgreSQL cannot hold it.
 * min and max are off when both are 0; for only one bound give the other one too.
 */
typedef struct edge_field {
    const char *name;
    edge_type type;
    double min, max;
    bool required;
    const char *fallback;            /* JSON text (a bare word is a string) used when the field is absent */
    const char *const *values;       /* EDGE_ENUM: NULL-terminated; EDGE_PATTERN: the pattern */
    const struct edge_field *fields; /* EDGE_OBJECT: members, ended by { 0 } */
    const struct edge_field *items;  /* EDGE_ARRAY, EDGE_MAP: one item; its name is not used */
    const char *const *aliases; /* other names, tried in this order when the field is absent; NULL-terminated */
    const char *help;
} edge_field;

/* What becomes of members of the body, at any depth, that no table names. */
typedef enum edge_unknown {
    EDGE_UNKNOWN_IGNORE, /* the handler sees them and pays no heed */
    EDGE_UNKNOWN_REFUSE, /* 400 "invalid_input" naming the member, once all fields have passed */
} edge_unknown;

/* An error of the function's own, for readers of the OpenAPI document. */
typedef struct edge_problem {
    int status;
    const char *code, *help;
} edge_problem;

/* What a group of functions adds to its error answers; one per group, in functions/lib. */
typedef struct edge_shape {
    bool success_false;     /* "success": false in every error body */
    const char *suggestion; /* "suggestion" when the failure names none */
    /* Instead of "invalid_input": what a webhook group calls a bad body. */
    const char *invalid_code;
} edge_shape;

typedef struct edge_function {
    uint32_t size; /* filled by EDGE_FUNCTION, as are the next three */
    uint16_t abi_major, abi_minor;
    const char *name;
    const char *summary;                          /* one sentence, required */
    const edge_field *input;                      /* ended by { 0 }; NULL: the body is not looked at */
    json_t *(*handle)(edge_ctx *ctx, json_t *in); /* in: the validated body, an object. Returns the 200 body */
    const char *methods;                          /* default "POST"; several separated by a blank */
    const edge_shape *shape;
    const char *const *env;    /* variables without which the function cannot be loaded; NULL-terminated */
    const char *const *sql;    /* statements that must prepare on the live schema before a reload; NULL-term. */
    bool raw_body;             /* the body is no JSON object (or is verified raw): in is NULL */
    bool streams;              /* may answer as a stream (stream.h) */
    bool service_without_user; /* the service key may leave out userId */
    int (*init)(void **state); /* once a worker, before the first call; 0 or the load is refused */
    void (*exit)(void *state); /* when the last invocation of this generation has ended */
    int (*self_test)(void);    /* run by the reload gate in a forked child; 0 passes */
    edge_unknown unknown_fields;
    /* For the OpenAPI document and the clients made of it; each may be left out. */
    /*
     * Members of the 200 answer, ended by { 0 }. A required one is always there and never null, though it may
     * be ""; any other may be left out or null. One named "*" stands for all members that have no other. A
     * development host compares every answer with it and logs the first difference ("answer_mismatch"); the
     * answer goes out as it is.
     */
    const edge_field *output;
    const edge_problem *problems;    /* what it fails with beside what every function does, ended by { 0 } */
    const char *consumes;            /* media types of a raw body, separated by blanks: "text/csv image/png" */
    const char *produces;            /* media types of the 200 answer, "application/json" when left out */
    void (*session)(edge_ctx *ctx);  /* speaks for a whole WebSocket session (ws.h); .handle is optional then */
    const char *const *subprotocols; /* of the session, in the order of preference; NULL-terminated */
    /*
     * What a table cannot say: called for each of its fields that is there, in the table's order, when it is of
     * its type; in has the fields before it as the handler gets them. Ends the invocation (edge_fail_with,
     * .field), or returns what takes the value's place, or value.
     */
    json_t *(*check)(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value);
    bool trims; /* strings that a table describes lose white space at their ends first; then "" is absent */
    /* Top-level fields in which null says something ("clear it"): it is handed over. NULL-terminated. */
    const char *const *null_fields;
    const char *error_members; /* a JSON object: what each error body has as well, "{\"errors\":[]}" */
    /*
     * Media types whose bodies are the handler's to read, as with raw_body: in is NULL then. Bodies of all
     * other types are JSON and go through the table. Separated by blanks; a star behind the slash stands for
     * any.
     */
    const char *raw_types;
} edge_function;

/*
 * Checks a further object by a table, as the host has checked the body: for members that another one decides
 * about, as the parameters of an operation. path is the object's in the body, "" for the body itself; members
 * get their proper names and fallbacks. What is wrong ends the invocation with 400 "invalid_input".
 *
 *     edge_input_check(ctx, "params", creating ? create_fields : update_fields, json_object_get(in, "params"));
 */
void edge_input_check(edge_ctx *ctx, const char *path, const edge_field *fields, json_t *object);

/* Declares the function of a plugin: EDGE_FUNCTION(name, .summary = "...", .input = input, .handle = handler);
 */
#define EDGE_FUNCTION(function_name, ...)                                                                      \
    extern const edge_function edge_plugin;                                                                    \
    __attribute__((visibility("default"))) const edge_function edge_plugin = { .size = sizeof(edge_function),  \
        .abi_major = EDGE_ABI_MAJOR,                                                                           \
        .abi_minor = EDGE_ABI_MINOR,                                                                           \
        .name = #function_name,                                                                                \
        __VA_ARGS__ }

#pragma GCC visibility pop

#endif
