/*
 * Form fields.
 */
#include "lib/form.h"

void form_add(struct text *form, const char *name, const char *value)
{
    if (value != NULL)
        text_add_format(form, "%s%s=%s", form->length > 0 ? "&" : "", edge_url_encode(form->ctx, name),
            edge_url_encode(form->ctx, value));
}
