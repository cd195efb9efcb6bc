/*
 * The worker's one connection that listens; see host/db.h for what it gives.
 */
#ifndef DB_LISTEN_H
#define DB_LISTEN_H

/* With the pool. Nothing is connected before somebody listens. */
void db_listen_start(void);
void db_listen_stop(void);

#endif
