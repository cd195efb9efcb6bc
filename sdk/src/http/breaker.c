/*
 * Circuit breaker; see breaker.h.
 */
#include "breaker.h"

bool breaker_refuses(const struct breaker *breaker, int64_t now_us)
{
    return breaker->state == BREAKER_PROBING ||
           (breaker->state == BREAKER_OPEN && now_us < breaker->open_until_us);
}

enum breaker_admission breaker_admit(struct breaker *breaker, int64_t now_us)
{
    if (breaker_refuses(breaker, now_us))
        return BREAKER_REFUSE;
    if (breaker->state == BREAKER_CLOSED)
        return BREAKER_PASS;
    breaker->state = BREAKER_PROBING;
    return BREAKER_PROBE;
}

static bool open_until(struct breaker *breaker, int64_t until_us)
{
    breaker->state = BREAKER_OPEN;
    breaker->open_until_us = until_us;
    breaker->opened_count++;
    return true;
}

/* The ring's next slot holds the oldest of the last ten once there are ten. */
static bool count_failure(struct breaker *breaker, int64_t now_us)
{
    breaker->failed_at_us[breaker->failed_count % BREAKER_FAILURES] = now_us;
    breaker->failed_count++;
    if (breaker->failed_count < BREAKER_FAILURES)
        return false;
    int64_t oldest_us = breaker->failed_at_us[breaker->failed_count % BREAKER_FAILURES];
    return now_us - oldest_us <= BREAKER_WINDOW_US && open_until(breaker, now_us + BREAKER_PAUSE_US);
}

static bool close_breaker(struct breaker *breaker)
{
    breaker->state = BREAKER_CLOSED;
    breaker->failed_count = 0;
    return true;
}

bool breaker_report(struct breaker *breaker, bool probe, enum breaker_verdict verdict, int64_t now_us)
{
    if (probe && breaker->state == BREAKER_PROBING) {
        if (verdict == VERDICT_GOOD)
            return close_breaker(breaker);
        if (verdict == VERDICT_BAD)
            return open_until(breaker, now_us + BREAKER_PAUSE_US);
        /* A probe that was called off says nothing: the next call is the probe. */
        breaker->state = BREAKER_OPEN;
        breaker->open_until_us = now_us;
        return false;
    }
    /* Calls from before it opened come in late; only the probe decides. */
    if (breaker->state != BREAKER_CLOSED)
        return false;
    if (verdict == VERDICT_BAD)
        return count_failure(breaker, now_us);
    if (verdict == VERDICT_GOOD)
        breaker->failed_count = 0;
    return false;
}

int breaker_retry_after_seconds(const struct breaker *breaker, int64_t now_us)
{
    int64_t left_us = breaker->open_until_us - now_us;
    if (breaker->state != BREAKER_OPEN || left_us <= 0)
        return 1;
    return (int)((left_us + 999999) / 1000000);
}
