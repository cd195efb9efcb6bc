/*
 * The circuit breaker of a provider: after ten failures in a row within 30 s nothing is sent for 5 s, then one
 * call probes. A pure unit: the caller brings the clock.
 */
#ifndef HTTP_BREAKER_H
#define HTTP_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BREAKER_FAILURES = 10
};

#define BREAKER_WINDOW_US (30 * INT64_C(1000000))
#define BREAKER_PAUSE_US (5 * INT64_C(1000000))

enum breaker_state {
    BREAKER_CLOSED,  /* calls pass; a bad verdict too many opens it */
    BREAKER_OPEN,    /* calls are refused until open_until_us; the first one after it becomes the probe */
    BREAKER_PROBING, /* one call is out and all others are refused; its verdict closes or opens */
};

struct breaker {
    enum breaker_state state;
    uint32_t failed_count;                  /* in a row */
    int64_t failed_at_us[BREAKER_FAILURES]; /* the latest of them, a ring */
    int64_t open_until_us;
    uint64_t opened_count;
};

enum breaker_admission {
    BREAKER_PASS,
    BREAKER_PROBE,
    BREAKER_REFUSE
};

/* What a call says about its provider: nothing (429, or it was called off), that it works, or that it fails. */
enum breaker_verdict {
    VERDICT_NONE,
    VERDICT_GOOD,
    VERDICT_BAD
};

/* Asks for one call, which is sent at once unless refused. */
enum breaker_admission breaker_admit(struct breaker *breaker, int64_t now_us);

/* True when breaker_admit would refuse; changes nothing. */
bool breaker_refuses(const struct breaker *breaker, int64_t now_us);

/* Takes the verdict of a call that had been admitted. True when the breaker opened or closed by it. */
bool breaker_report(struct breaker *breaker, bool probe, enum breaker_verdict verdict, int64_t now_us);

/* Whole seconds until a refused call may be tried again, at least 1. */
int breaker_retry_after_seconds(const struct breaker *breaker, int64_t now_us);

#endif
