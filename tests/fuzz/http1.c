/*
 * HTTP/1.1 from anybody: whatever comes, in whatever pieces, it is answered or refused, and nothing is left.
 */
#include "http_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_start();
    fuzz_feed(NULL, data, size);
    return 0;
}
