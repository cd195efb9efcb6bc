/*
 * Contacts as dialogs and CSV imports send them: objects whose keys are matched by their letters and digits
 * only, so that First_Name, firstName and "First name" are one.
 */
#ifndef LIB_CONTACT_H
#define LIB_CONTACT_H

#include <edge/edge.h>

/* What is known by name; each may be NULL but name. */
struct contact {
    const json_t *fields;
    const char *name; /* "Prospect" when there is none */
    const char *phone, *address, *source, *meeting;
};

struct contact contact_read(edge_ctx *ctx, const json_t *fields);

/*
 * Adds the other scalar fields to a call's variables as contact_<key>, 30 at most, texts cut at 500 characters.
 */
void contact_add_variables(edge_ctx *ctx, const struct contact *contact, json_t *variables);

#endif
