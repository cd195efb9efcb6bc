/*
 * URLs of outgoing calls.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <edge/http.h>

/*
 * True when path may be appended to a base URL: it begins a path or a query, is encoded, and has no dot
 * segments, so that no value in it can lead to another host or out of the path it stands in.
 */
bool url_path_is_sound(const char *path);

#endif
