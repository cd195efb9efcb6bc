/*
 * The schedules' clock; see clock.h.
 */
#include "clock.h"

#include <edge/base.h>

#include <stdio.h>
#include <stdlib.h>

static struct {
    double start_us, began_us, rate;
} clock_state = { 0, 0, 1 };

void jobs_clock_start(bool development)
{
    const char *text = development ? getenv("EDGE_TEST_SCHEDULE_CLOCK") : NULL;
    double start = 0, began = 0, rate = 0;
    if (text == NULL || sscanf(text, "%lf,%lf,%lf", &start, &began, &rate) != 3 || rate <= 0)
        return;
    clock_state.start_us = start * 1e6;
    clock_state.began_us = began * 1e6;
    clock_state.rate = rate;
}

int64_t jobs_clock_us(void)
{
    if (clock_state.began_us == 0)
        return edge_now_exact();
    return (
        int64_t)(clock_state.start_us + ((double)edge_now_exact() - clock_state.began_us) * clock_state.rate);
}

double jobs_clock_until(int64_t instant_us)
{
    double left = (double)(instant_us - jobs_clock_us()) / 1e6 / clock_state.rate;
    return left > 0 ? left : 0;
}
