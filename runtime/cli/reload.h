/*
 * What a host has answered to `edge reload` and its kin.
 */
#ifndef RELOAD_CLI_H
#define RELOAD_CLI_H

#include <jansson.h>

/* Prints what a reload did, line by line. The status is 1 when anything was refused. */
int reload_report_print(const json_t *report);

#endif
