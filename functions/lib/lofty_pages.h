/*
 * Lofty's leads and transactions, a page at a time (spec crm.md, loftySync;
 * https://developer.lofty.com/api-reference).
 */
#ifndef LIB_LOFTY_PAGES_H
#define LIB_LOFTY_PAGES_H

#include <edge/edge.h>

#include "lib/crm_provider.h"
#include "lib/lofty_state.h"

struct lofty_reader {
    struct crm *crm;
    struct lofty_run *run; /* whose lease is renewed before waits; NULL in a dry run */
    bool of_leads;         /* else of transactions */
    const char *scroll_id; /* of the page before, NULL without */
    bool is_saved_scroll;  /* it comes from an earlier call: Lofty may have forgotten it */
    int64_t fetched, page_num;
    char *buffer; /* of an answer, used again for every page */
    size_t buffer_size;
};

struct lofty_page {
    const struct crm_failure *failure; /* NULL: the rest is there */
    json_t *rows;                      /* an array */
    json_t *body;                      /* json_decref when the page is done */
    int64_t total;                     /* of all pages, -1 when Lofty does not say */
    const char *scroll_id;             /* of the next page */
};

/*
 * The next page. It is tried up to four times on 429, 5xx, timeouts and broken connections, with what
 * Retry-After says (60 s at most) or a pause that doubles in between.
 */
struct lofty_page lofty_read(struct lofty_reader *reader);

#endif
