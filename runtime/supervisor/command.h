/*
 * Commands to a running host: a Unix socket that `edge reload` and its kin speak to, found by the path of
 * functions.toml. One JSON object on a line each way, one command a connection.
 *
 *   {"command": "status" | "reload" | "rollback" | "promote" | "upgrade" | "log", "function"?, "binary"?}
 *   {"command": "stale", "function", "text": what the compiler said | null}    of a development host
 *   {"ok": bool, "error"?, …}    status: {"pid","revision","address","tls","functions":[…]}; else the report of
 * reload.h. The answer to "log" comes with a descriptor of the log (log_ring.h).
 *
 * Whoever may connect may replace code: the socket is its owner's (0600), and both ends check the other's user.
 */
#ifndef SUPERVISOR_COMMAND_H
#define SUPERVISOR_COMMAND_H

#include <jansson.h>
#include <stddef.h>

struct commands;
struct supervisor;

/* Listens; without it the host serves all the same, and says that it cannot be spoken to. */
void commands_open(struct supervisor *supervisor);
void commands_close(struct supervisor *supervisor);

/* In a child: closes what is open, and leaves the socket to the supervisor. */
void commands_forget(struct supervisor *supervisor);

/* The socket's path: EDGE_CONTROL, else by the configuration's path, under XDG_RUNTIME_DIR or /tmp. */
void command_path(const char *config_path, char *out, size_t size);

/*
 * For the command line: sends a command to the host of a configuration and waits for its answer. NULL, and
 * *problem with a sentence, when there is none.
 */
json_t *command_send(const char *config_path, const json_t *command, char *problem, size_t size);

/*
 * For the command line: the descriptor of the host's log (log_ring.h), to be closed. -1, and *problem with a
 * sentence, when there is none.
 */
int command_log(const char *config_path, char *problem, size_t size);

#endif
