/*
 * The terminal of `edge dev`: keys without the Enter behind them, and text that cannot talk to it.
 */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* Text that is others': control characters, which could talk to the terminal, become "?"; tabs stay. */
void print_safely(const char *text, size_t length);

/*
 * Keys arrive one by one and unseen, until keys_restore, or until this process ends, even by kill -9: a child
 * of it restores the terminal then. False when standard input is no terminal, or another process group's. May
 * be called again, after the terminal has been others'.
 */
bool keys_open(void);
void keys_restore(void);

#endif
