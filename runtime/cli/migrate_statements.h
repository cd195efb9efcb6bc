/*
 * Where the statements of an SQL file begin, and with which word.
 *
 * The file is sent to the server in one piece; this is for what is said about it: the line of an error that
 * has no position, and refusing a file that would end the transaction it runs in before any of it has run.
 */
#ifndef MIGRATE_STATEMENTS_H
#define MIGRATE_STATEMENTS_H

#include <stdbool.h>

struct sql_statement {
    const char *start; /* of its first word */
    char word[16];     /* that word in lower case, cut */
    int line;          /* from 1 */
};

struct sql_reader {
    const char *at;
    int line;
};

/* The next statement that is not empty; false at the end. Start with { text, 1 }. */
bool sql_next(struct sql_reader *reader, struct sql_statement *statement);

#endif
