/*
 * Free time in a calendar: windows of business hours, busy intervals, and the slots that fit between (spec
 * workspace.md, findAvailableTimeSlotsTool). All instants are Unix seconds; slots last elapsed time, whatever
 * clocks do meanwhile.
 */
#ifndef LIB_SLOTS_H
#define LIB_SLOTS_H

#include <edge/edge.h>

/* [start, end) */
struct interval {
    int64_t start, end;
};

struct intervals {
    struct interval *items;
    size_t count;
};

/* Business hours in minutes after local midnight; days by ISO number, 1 Monday to 7 Sunday. */
struct business_hours {
    bool always; /* round the clock: one window */
    int64_t start, end;
    bool days[8];
};

struct slot_search {
    struct interval range;
    int64_t now; /* no slot begins before */
    int64_t duration, step, buffer;
    struct intervals windows, busy; /* busy: merged */
};

/* The windows of a range: one for each local day whose weekday counts. Parks: the zone's days are PostgreSQL's.
 */
struct intervals slot_windows(
    edge_ctx *ctx, const char *zone, struct interval range, const struct business_hours *hours);

/* Sorts intervals and joins those that touch; empty ones go. */
struct intervals intervals_merge(edge_ctx *ctx, struct intervals intervals);

/* The first max slots, days in order; *truncated tells whether there are more. */
struct intervals slots_find(edge_ctx *ctx, const struct slot_search *search, size_t max, bool *truncated);

/* What is free in each window, where it is at least as long as a slot. */
struct intervals slots_free(edge_ctx *ctx, const struct slot_search *search);

#endif
