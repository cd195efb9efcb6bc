/*
 * Conditional and range requests; see range.h.
 */
#include <range.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

bool http_date_read(const char *text, int64_t *seconds)
{
    /* IMF-fixdate, and the two that recipients still have to know. */
    static const char *const formats[] = { "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y" };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct tm utc = { 0 };
        const char *end = strptime(text, formats[i], &utc);
        if (end == NULL || *end != '\0')
            continue;
        *seconds = timegm(&utc);
        return true;
    }
    return false;
}

void http_date_write(int64_t seconds, char out[32])
{
    time_t time = (time_t)seconds;
    struct tm utc;
    gmtime_r(&time, &utc);
    strftime(out, 32, "%a, %d %b %Y %H:%M:%S GMT", &utc);
}

void file_state_of(struct file_state *file, const struct stat *status)
{
    file->size = (uint64_t)status->st_size;
    file->modified_s = status->st_mtim.tv_sec;
    snprintf(file->etag, sizeof file->etag, "\"%" PRIx64 "-%" PRIx64 "%08lx\"", file->size,
        (uint64_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec);
}

/*
 * Whether a list of entity tags, or *, names this one. Weak comparison (for If-None-Match) takes W/"x" for
 * "x"; in strong comparison a weak tag is no match (RFC 9110 8.8.3.2).
 */
static bool names_tag(const char *list, const char *etag, bool weak)
{
    size_t length = strlen(etag);
    for (const char *at = list; *at != '\0';) {
        at += strspn(at, " \t,");
        if (*at == '*')
            return true;
        bool weak_tag = strncmp(at, "W/", 2) == 0;
        at += weak_tag ? 2 : 0;
        if (*at != '"')
            return false;
        const char *end = strchr(at + 1, '"');
        if (end == NULL)
            return false;
        if (length > 0 && (size_t)(end + 1 - at) == length && memcmp(at, etag, length) == 0 &&
            (weak || !weak_tag))
            return true;
        at = end + 1;
    }
    return false;
}

/* True when the file has changed since the date; a date that is none changes nothing. */
static bool changed_since(const char *date, const struct file_state *file, bool otherwise)
{
    int64_t since = 0;
    if (file->modified_s == 0 || !http_date_read(date, &since))
        return otherwise;
    return file->modified_s > since;
}

/* RFC 9110 13.2.2, in its order. 0: carry on. */
static int precondition(const struct file_request *request, const struct file_state *file)
{
    if (request->if_match != NULL) {
        if (!names_tag(request->if_match, file->etag, false))
            return 412;
    } else if (request->if_unmodified_since != NULL) {
        if (changed_since(request->if_unmodified_since, file, false))
            return 412;
    }
    if (request->if_none_match != NULL)
        return names_tag(request->if_none_match, file->etag, true) ? 304 : 0;
    if (request->if_modified_since != NULL && !changed_since(request->if_modified_since, file, true))
        return 304;
    return 0;
}

/* If-Range: only a strong tag, or the exact date, lets the range count (13.1.5). */
static bool range_counts(const struct file_request *request, const struct file_state *file)
{
    int64_t date = 0;
    if (request->range == NULL)
        return false;
    if (request->if_range == NULL)
        return true;
    if (request->if_range[0] == '"')
        return file->etag[0] != '\0' && strcmp(request->if_range, file->etag) == 0;
    return http_date_read(request->if_range, &date) && file->modified_s != 0 && date == file->modified_s;
}

/* Digits up to something else; more than fit are more than any file has. False when there are none. */
static bool read_number(const char **text, uint64_t *number)
{
    size_t digits = strspn(*text, "0123456789");
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        uint64_t digit = (uint64_t)((*text)[i] - '0');
        *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
    }
    *text += digits;
    return digits > 0;
}

enum range_kind {
    RANGE_NONE, /* malformed, of another unit, or several: ignored */
    RANGE_OUTSIDE,
    RANGE_PART
};

/* bytes=first-last, bytes=first-, bytes=-suffix (14.1.2). */
static enum range_kind read_range(const char *text, uint64_t size, uint64_t *first, uint64_t *length)
{
    uint64_t from = 0, to = UINT64_MAX;
    if (strncasecmp(text, "bytes=", 6) != 0)
        return RANGE_NONE;
    text += 6 + strspn(text + 6, " \t");
    bool has_first = read_number(&text, &from);
    if (*text++ != '-')
        return RANGE_NONE;
    bool has_last = read_number(&text, &to);
    text += strspn(text, " \t");
    if (*text != '\0' || (!has_first && !has_last) || (has_first && has_last && to < from))
        return RANGE_NONE;

    if (!has_first) {
        *length = to < size ? to : size;
        *first = size - *length;
        return *length > 0 ? RANGE_PART : RANGE_OUTSIDE;
    }
    if (from >= size)
        return RANGE_OUTSIDE;
    *first = from;
    *length = (has_last && to < size ? to + 1 : size) - from;
    return RANGE_PART;
}

static void take_range(struct file_answer *answer, const char *range, uint64_t size)
{
    switch (read_range(range, size, &answer->offset, &answer->length)) {
    case RANGE_PART:
        answer->status = 206;
        snprintf(answer->content_range, sizeof answer->content_range, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
            answer->offset, answer->offset + answer->length - 1, size);
        break;
    case RANGE_OUTSIDE:
        answer->status = 416;
        answer->length = 0;
        snprintf(answer->content_range, sizeof answer->content_range, "bytes */%" PRIu64, size);
        break;
    case RANGE_NONE:
        break;
    }
}

void file_answer_decide(
    struct file_answer *answer, const struct file_request *request, const struct file_state *file)
{
    *answer = (struct file_answer){ .status = 200, .length = file->size };
    if (file->modified_s != 0)
        http_date_write(file->modified_s, answer->last_modified);
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
        return;

    int decided = precondition(request, file);
    if (decided != 0) {
        answer->status = decided;
        answer->length = 0;
        return;
    }
    /* Ranges are defined for GET alone (14.2). */
    if (strcmp(request->method, "GET") == 0 && range_counts(request, file))
        take_range(answer, request->range, file->size);
}
