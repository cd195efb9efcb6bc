/*
 * edge functions --markdown: the page docs/functions.md, from functions.toml and what the plugins declare.
 */
#ifndef FUNCTIONS_MARKDOWN_H
#define FUNCTIONS_MARKDOWN_H

#include "config/config.h"

/* Who may call, as functions.toml says it: "user", "webhook:svix". */
void auth_format(const struct function_config *function, char *text, size_t size);

/*
 * Prints the page; sources is the directory below which functions have their sources, a directory a group. It
 * is the same on every machine. Returns the command's status: every function needs its plugin and its source.
 */
int functions_markdown(const struct config *config, const char *sources);

#endif
