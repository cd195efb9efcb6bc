/*
 * What `edge dev` prints once its host is up: address, token, and calls to paste.
 */
#ifndef DEV_BANNER_H
#define DEV_BANNER_H

struct config;

/* config is the development host's; origin as "http://127.0.0.1:8000". Token and signature are made anew. */
void dev_banner_print(const struct config *config, const char *origin);

#endif
