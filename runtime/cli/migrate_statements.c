/*
 * Where the statements of an SQL file begin; see migrate_statements.h.
 *
 * A semicolon ends a statement unless it stands in a string, a quoted name, a comment, parentheses (CREATE
 * RULE) or a function's BEGIN ATOMIC … END body (PostgreSQL 15 manual, 4.1).
 */
#include "cli/migrate_statements.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static void advance(struct sql_reader *reader)
{
    reader->line += *reader->at == '\n';
    reader->at++;
}

static void advance_by(struct sql_reader *reader, size_t count)
{
    for (; count > 0 && *reader->at != '\0'; count--)
        advance(reader);
}

/* Past the closing quote. A doubled one closes and opens again, so it needs no care. */
static void skip_quoted(struct sql_reader *reader, char quote, bool backslashes)
{
    advance(reader);
    while (*reader->at != '\0' && *reader->at != quote)
        advance_by(reader, backslashes && *reader->at == '\\' ? 2 : 1);
    advance_by(reader, 1);
}

static void skip_block_comment(struct sql_reader *reader)
{
    int depth = 0;
    do {
        if (strncmp(reader->at, "/*", 2) == 0) {
            depth++;
            advance_by(reader, 2);
        } else if (strncmp(reader->at, "*/", 2) == 0) {
            depth--;
            advance_by(reader, 2);
        } else {
            advance_by(reader, 1);
        }
    } while (depth > 0 && *reader->at != '\0');
}

/* $tag$ … $tag$; a lone dollar sign is a parameter, which is no quote. */
static bool skip_dollar_quoted(struct sql_reader *reader)
{
    size_t length = 1;
    while (isalnum((unsigned char)reader->at[length]) || reader->at[length] == '_')
        length++;
    if (reader->at[length] != '$' || isdigit((unsigned char)reader->at[1]))
        return false;
    const char *tag = reader->at;
    advance_by(reader, length + 1);
    while (*reader->at != '\0' && strncmp(reader->at, tag, length + 1) != 0)
        advance(reader);
    advance_by(reader, length + 1);
    return true;
}

/* Skips what cannot end a statement; false when the reader stands at none of that. */
static bool skip_opaque(struct sql_reader *reader)
{
    if (strncmp(reader->at, "--", 2) == 0)
        advance_by(reader, strcspn(reader->at, "\n"));
    else if (strncmp(reader->at, "/*", 2) == 0)
        skip_block_comment(reader);
    else if (*reader->at == '\'' || *reader->at == '"')
        skip_quoted(reader, *reader->at, false);
    else if (*reader->at == '$')
        return skip_dollar_quoted(reader);
    else
        return false;
    return true;
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (c & 0x80) != 0;
}

static bool is_word(const char *word, size_t length, const char *wanted)
{
    return strlen(wanted) == length && strncasecmp(word, wanted, length) == 0;
}

/* Reads a word; e'' strings come here with their e. Keeps count of BEGIN ATOMIC, CASE and END. */
static void read_word(struct sql_reader *reader, int *body)
{
    const char *word = reader->at;
    while (in_word(*reader->at))
        advance(reader);
    size_t length = (size_t)(reader->at - word);
    if (is_word(word, length, "e") && *reader->at == '\'') {
        skip_quoted(reader, '\'', true);
        return;
    }
    if (*body > 0 && is_word(word, length, "case"))
        ++*body;
    else if (*body > 0 && is_word(word, length, "end"))
        --*body;
    else if (*body == 0 && is_word(word, length, "atomic"))
        *body = 1;
}

static void skip_statement(struct sql_reader *reader)
{
    int parentheses = 0, body = 0;
    while (*reader->at != '\0') {
        if (skip_opaque(reader))
            continue;
        if (in_word(*reader->at)) {
            read_word(reader, &body);
            continue;
        }
        char c = *reader->at;
        advance(reader);
        if (c == '(')
            parentheses++;
        else if (c == ')')
            parentheses--;
        else if (c == ';' && parentheses <= 0 && body == 0)
            return;
    }
}

static bool skip_to_start(struct sql_reader *reader)
{
    while (*reader->at != '\0') {
        bool comment = strncmp(reader->at, "--", 2) == 0 || strncmp(reader->at, "/*", 2) == 0;
        if (comment)
            skip_opaque(reader);
        else if (isspace((unsigned char)*reader->at) || *reader->at == ';')
            advance(reader);
        else
            return true;
    }
    return false;
}

bool sql_next(struct sql_reader *reader, struct sql_statement *statement)
{
    if (!skip_to_start(reader))
        return false;
    *statement = (struct sql_statement){ .start = reader->at, .line = reader->line };
    for (size_t i = 0; i + 1 < sizeof statement->word && in_word(reader->at[i]); i++)
        statement->word[i] = (char)tolower((unsigned char)reader->at[i]);
    skip_statement(reader);
    return true;
}
