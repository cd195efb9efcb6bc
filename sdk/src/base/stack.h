/*
 * Stacks for fibers: mapped with a guard page below, kept for the next fiber.
 */
#ifndef BASE_STACK_H
#define BASE_STACK_H

#include <stddef.h>

/* bytes: of a stack, whole pages, the guard page not counted. */
void stack_pool_start(size_t bytes, size_t page);

/* Calls changed with the bytes that all stacks take together, before there are more and after there are less.
 */
void stack_pool_on_change(void (*changed)(size_t bytes));

/* Unmaps what is free. */
void stack_pool_stop(void);

/* A mapping: one guard page, then the stack. NULL when none can be had. */
char *stack_take(void);
void stack_give(char *mapping);

/* On this stack: gives the pages back that lie below what is in use. */
void stack_trim(char *mapping);

/* Stacks mapped, in use or free. */
size_t stack_pool_mapped(void);

#endif
