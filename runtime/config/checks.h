/*
 * Checks of configured text. Each answers NULL when text is good, else what was expected of it, as the end of a
 * sentence: "is not an http or https URL".
 */
#ifndef CHECKS_H
#define CHECKS_H

const char *check_listen(const char *text);   /* "127.0.0.1:8000", "[::]:443", ":8000", "unix:/path" */
const char *check_url(const char *text);      /* absolute http or https URL without query and fragment */
const char *check_database(const char *text); /* what libpq takes */
const char *check_origin(const char *text);   /* "*" or scheme://host[:port] */
const char *check_network(const char *text);  /* IP address or CIDR block */
const char *check_pem(const char *text);      /* a public key in PEM */
const char *check_variable(const char *text); /* name of an environment variable */
const char *check_header(const char *text);   /* HTTP field name, lower case */
const char *check_host(const char *text);     /* a host's name, lower case */
const char *check_plugin(const char *text);   /* file name without a directory */
const char *check_timezone(const char *text); /* "UTC" or a name of the system's time zone database */
const char *check_schedule(const char *text); /* five cron fields */
const char *check_route(const char *text);    /* path pattern */
const char *check_nothing(const char *text);  /* any text that is not empty */

#endif
