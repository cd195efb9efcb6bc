/*
 * The key and base of signed URLs.
 */
#ifndef STORAGE_SIGN_H
#define STORAGE_SIGN_H

#include <storage.h>

int sign_start(const struct storage_settings *settings);
void sign_stop(void);

#endif
