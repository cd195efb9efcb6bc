/*
 * What a transaction may be.
 */
#include "lib/deals.h"

const char *const deal_statuses[] = { "pending", "active", "under_contract", "closed", "cancelled", NULL };
const char *const deal_types[] = { "buyer", "seller", "dual", "lease", "listing", NULL };

const edge_field deal_fields[] = {
    { "id", EDGE_UUID, .required = true, .help = "The deal" },
    { "propertyAddress", EDGE_TEXT, .help = "Where the property is" },
    { "transactionType", EDGE_TEXT, .help = "Whose side it is" },
    { "clientName", EDGE_TEXT, .help = "For whom" },
    { "status", EDGE_TEXT, .help = "How far it is" },
    { "expectedCloseDate", EDGE_DATE, .help = "Day of the closing" },
    { "commissionAmount", EDGE_NUMBER, .help = "US dollars" },
    { "notes", EDGE_TEXT, .help = "What was noted" },
    { "createdAt", EDGE_DATETIME, .required = true, .help = "When it was entered" },
    { "updatedAt", EDGE_DATETIME, .help = "When it was changed last" },
    { 0 },
};
