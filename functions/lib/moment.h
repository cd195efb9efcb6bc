/*
 * Days and times as texts: which are real ones, and in the spelling that PostgreSQL reads without guessing.
 */
#ifndef LIB_MOMENT_H
#define LIB_MOMENT_H

#include <edge/edge.h>

/* Room for any of the spellings below. */
enum {
    MOMENT_BYTES = 40
};

/* YYYY-MM-DD, or an ISO 8601 time whose day is meant; a real day, 1900 to 2200. */
bool moment_day(const char *text, char out[MOMENT_BYTES]);

/* As moment_day, and M/D/YYYY. */
bool moment_day_loose(const char *text, char out[MOMENT_BYTES]);

/* HH:MM or HH:MM:SS, 00:00 to 23:59:59. */
bool moment_clock(const char *text, char out[MOMENT_BYTES]);

/* ISO 8601 day, or day and time with or without an offset; without one it is UTC. */
bool moment_time(const char *text, char out[MOMENT_BYTES]);

#endif
