/*
 * abi_nothing: a shared object that declares no function.
 */
#include <edge/edge.h>

__attribute__((visibility("default"))) int abi_nothing_at_all(void);

int abi_nothing_at_all(void)
{
    return EDGE_ABI_MAJOR;
}
