/*
 * Ranges and conditions; see storage_range.h.
 */
#include "storage_range.h"

#include <curl/curl.h>

#include <string.h>

/* Digits at *at, which is moved behind them; -1 when there are none, or too many to be a size. */
static int64_t read_number(const char **at)
{
    int64_t value = -1;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (value > INT64_MAX / 10 - 1)
            return -1;
        value = (value < 0 ? 0 : value * 10) + (**at - '0');
    }
    return value;
}

static struct range range_between(int64_t first, int64_t last, int64_t size)
{
    if (first >= size)
        return (struct range){ .kind = RANGE_UNSATISFIABLE };
    if (last >= size)
        last = size - 1;
    return (struct range){ RANGE_PART, first, last - first + 1 };
}

struct range range_read(const char *header, int64_t size)
{
    const struct range whole = { RANGE_WHOLE, 0, size };
    if (header == NULL || strncmp(header, "bytes=", 6) != 0)
        return whole;
    const char *at = header + 6;
    int64_t first = read_number(&at);
    if (*at++ != '-')
        return whole;
    const char *digits = at;
    int64_t last = read_number(&at);
    if (*at != '\0' || (last < 0 && digits != at))
        return whole;

    if (first < 0 && header[6] == '-' && last >= 0) { /* the last so many */
        if (last == 0 || size == 0)
            return (struct range){ .kind = RANGE_UNSATISFIABLE };
        return range_between(last < size ? size - last : 0, size - 1, size);
    }
    if (first < 0 || (last >= 0 && last < first))
        return whole;
    return range_between(first, last < 0 ? INT64_MAX - 1 : last, size);
}

bool range_applies(const char *if_range, const struct validators *object)
{
    if (if_range == NULL)
        return true;
    if (if_range[0] == '"')
        return object->etag != NULL && strcmp(if_range, object->etag) == 0;
    return strcmp(if_range, object->last_modified) == 0;
}

/* One of a list of entity tags; weak ones are as good as strong ones here. */
static bool lists(const char *list, const char *etag)
{
    for (const char *at = list; *at != '\0';) {
        at += strspn(at, " \t,");
        if (at[0] == 'W' && at[1] == '/')
            at += 2;
        size_t length = strcspn(at, ",");
        while (length > 0 && (at[length - 1] == ' ' || at[length - 1] == '\t'))
            length--;
        if (length == strlen(etag) && memcmp(at, etag, length) == 0)
            return true;
        at += strcspn(at, ",");
    }
    return false;
}

bool range_not_modified(
    const char *if_none_match, const char *if_modified_since, const struct validators *object)
{
    if (if_none_match != NULL)
        return strcmp(if_none_match, "*") == 0 || (object->etag != NULL && lists(if_none_match, object->etag));
    if (if_modified_since == NULL)
        return false;
    int64_t since = (int64_t)curl_getdate(if_modified_since, NULL);
    return since >= 0 && object->modified_s <= since;
}
