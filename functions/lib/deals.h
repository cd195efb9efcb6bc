/*
 * Rows of the user's own transaction list, as the transaction tools show them.
 */
#ifndef LIB_DEALS_H
#define LIB_DEALS_H

#include <edge/edge.h>

/* Columns of a transaction as members of an answer (edge_row_json). */
#define DEAL_COLUMNS                                                                                           \
    "id, property_address AS \"propertyAddress\", transaction_type AS \"transactionType\","                    \
    " client_name AS \"clientName\", status, expected_close_date AS \"expectedCloseDate\","                    \
    " commission_amount AS \"commissionAmount\", notes, created_at AS \"createdAt\", updated_at AS "           \
    "\"updatedAt\""

/* They as members of an output table. */
extern const edge_field deal_fields[];

/* NULL-terminated. */
extern const char *const deal_statuses[];
extern const char *const deal_types[];

enum {
    DEAL_COMMISSION_MAX = 1000000000,
    DEAL_NOTE_MAX = 5000, /* characters of one call */
};

#endif
