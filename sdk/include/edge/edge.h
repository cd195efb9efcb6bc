/*
 * Everything a function may use. A plugin includes this file and nothing of the runtime.
 */
#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

#include <edge/auth.h>
#include <edge/base.h>
#include <edge/cache.h>
#include <edge/crypto.h>
#include <edge/csv.h>
#include <edge/db.h>
#include <edge/function.h>
#include <edge/http.h>
#include <edge/json.h>
#include <edge/log.h>
#include <edge/request.h>
#include <edge/response.h>
#include <edge/storage.h>
#include <edge/stream.h>
#include <edge/task.h>
#include <edge/ws.h>

#endif
