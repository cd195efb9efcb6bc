/*
 * The encryption keys from the host's side: taken out of the environment at a worker's start, held where
 * neither a core dump nor a forked child finds them, wiped at its stop.
 */
#ifndef HOST_CRYPTO_H
#define HOST_CRYPTO_H

#include <stdbool.h>

/*
 * Takes EDGE_ENCRYPTION_KEY and EDGE_ENCRYPTION_KEY_PREVIOUS (base64 of 32 bytes, the latter only opens) and
 * overwrites them in this process's environment, so before plugins are loaded. A malformed one is logged and
 * counts as none. 0 or a negative errno.
 */
int crypto_start(void);
void crypto_stop(void);

/* Whether there is a key that seals. */
bool crypto_can_seal(void);

#endif
