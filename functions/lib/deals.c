/*
 * What a transaction may be.
 */
#include "lib/deals.h"

const char *const deal_statuses[] = { "pending", "active", "under_contract", "closed", "cancelled", NULL };
const char *const deal_types[] = { "buyer", "seller", "dual", "lease", "listing", NULL };
