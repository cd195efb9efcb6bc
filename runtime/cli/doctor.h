/*
 * What `edge doctor` has found, one line a check.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <jansson.h>
#include <stdbool.h>

struct config;

enum finding {
    FINDING_OK,
    FINDING_WARNING, /* works, but not as well, or not everything */
    FINDING_FAILURE  /* the host, or what was asked about, does not work */
};

struct doctor {
    json_t *findings; /* what is printed with --json */
    bool json;
    int failures;
};

/* Says what a check has found, and what to do about it (NULL: nothing). */
__attribute__((format(printf, 5, 6))) void doctor_say(
    struct doctor *doctor, enum finding finding, const char *check, const char *fix, const char *format, ...);

/* Programs, limits, directories, addresses. */
void doctor_libraries(struct doctor *doctor);
void doctor_limits(struct doctor *doctor, const struct config *config);
void doctor_programs(struct doctor *doctor);
void doctor_directories(struct doctor *doctor, const struct config *config);
void doctor_address(struct doctor *doctor, const struct config *config);
void doctor_plugins(struct doctor *doctor, const struct config *config);
void doctor_auth(struct doctor *doctor, const struct config *config);

/* Reachable, its version, roles, migrations, and its clock beside ours. */
void doctor_database(struct doctor *doctor, const struct config *config);

#endif
