/*
 * A COPY under way: part of a transaction, whose connection leaves pipeline mode for it.
 *
 * The fiber's side is copy.c (and copy_row.c), the loop's copy_wire.c. Both directions are held back: while a
 * reader is slow the socket is not read, and a writer parks until the socket has taken what libpq holds.
 */
#ifndef DB_COPY_H
#define DB_COPY_H

#include "db/buffer.h"
#include "db/tx.h"

/* Rows are collected up to this before they are sent, or handed out. */
#define COPY_PIECE_BYTES ((size_t)16 * 1024)

enum copy_state {
    COPY_STARTING, /* the statement has been sent; the server's answer moves it on */
    COPY_IN,       /* the server takes data; the function's end moves it on */
    COPY_OUT,      /* the server sends data; its end moves it on */
    COPY_ENDING,   /* no more data; the last answer moves it on */
    COPY_ENDED,    /* the connection is the transaction's again, or lost */
};

struct edge_copier {
    edge_tx *tx;
    bool own;       /* the transaction is the copy's */
    bool wants_out; /* which of both the function asked for */
    enum copy_state state;
    struct db_connection *connection; /* NULL once ENDED */
    struct fiber_wait *parked;        /* the fiber, while it waits for the socket */
    struct buffer piece;              /* in: not sent yet; out: handed to the function, or being collected */
    size_t rows;

    /* What failed, in the form that the transaction knows. */
    struct bound_statement statement;
    struct db_failure failure;
    struct operation operation;
};

/* Loop's stack: sends the statement; the piece that is full; the end; or asks for the next piece. */
void copy_send_statement(void *copy);
void copy_send_piece(void *copy);
void copy_send_end(void *copy);
void copy_want_piece(void *copy);

/* Fails unless data can go that way, and as the copy has failed. */
void copy_check(struct edge_copier *copy, bool out);

/* Runs one of these and parks until it has come to its end; then looks whether the copy has failed. */
void copy_do(struct edge_copier *copy, void (*step)(void *copy));

#endif
