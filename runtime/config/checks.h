/*
 * Checks of configured text. Each answers NULL when text is good, else what was expected of it, as the end of a
 * sentence: "is not an http or https URL".
 */
#ifndef CHECKS_H
#define CHECKS_H

typedef const char *text_check(const char *text);

text_check check_listen;   /* "127.0.0.1:8000", "[::]:443", "unix:/path" */
text_check check_url;      /* absolute http or https URL without query and fragment */
text_check check_database; /* what libpq takes */
text_check check_origin;   /* "*" or scheme://host[:port] */
text_check check_network;  /* IP address or CIDR block */
text_check check_pem;      /* a public key in PEM */
text_check check_variable; /* name of an environment variable */
text_check check_header;   /* HTTP field name, lower case */
text_check check_plugin;   /* file name without a directory */
text_check check_timezone; /* "UTC" or a name of the system's time zone database */
text_check check_schedule; /* five cron fields */
text_check check_route;    /* path pattern */
text_check check_nothing;  /* any text that is not empty */

#endif
