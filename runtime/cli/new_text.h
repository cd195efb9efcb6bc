/*
 * Texts that `edge new` writes: the templates of sdk/template, and what is filled in.
 *
 *   @NAME@     the function: remindClient           @PROJECT@   the directory's name, as CMake takes it
 *   @AUTH@     its mode: user, webhook:svix, …      @VERSION@   of this program, as find_package takes it
 *   @CALLER@   how its test gets a caller: user()   @SUPPORT@   where its test imports from
 *   @SECRET@   variable of a webhook's secret       @PROVIDER@  who `edge sandbox send` signs for
 *   @SCHEDULE@ cron
 *
 * Words of "@if word": private (calls without a caller are refused), known (calls have a user), webhook,
 * schedule.
 */
#ifndef NEW_TEXT_H
#define NEW_TEXT_H

#include <stddef.h>

/* NULL-terminated texts that are part of the program. */
extern const char template_call_c[], template_stream_c[], template_ws_c[], template_webhook_c[];
extern const char template_call_mjs[], template_stream_mjs[], template_ws_mjs[], template_webhook_mjs[];
extern const char template_entry[], template_support[], template_cmake[], template_toml[];
extern const char template_gitignore[], template_readme[], template_runner[];

/* One name between @ signs, or one word behind "@if"; a word that does not hold has no value. */
struct new_value {
    const char *name, *value;
};

/* The template with the values (ended by one without a name) filled in; to be freed by the caller. */
char *new_text(const char *template, const struct new_value *values);

#endif
