/*
 * HTTP/2 from anybody, without the TLS around it. A byte that is no preface is put behind one, so that frames
 * are reached.
 */
#include "http_harness.h"

#include <http/http2.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
    enum {
        PREFACE = sizeof preface - 1
    };
    fuzz_start();
    if (size < 2)
        return 0;
    uint8_t *whole = malloc(1 + PREFACE + size - 1);
    whole[0] = data[0];
    memcpy(whole + 1, preface, PREFACE);
    memcpy(whole + 1 + PREFACE, data + 1, size - 1);
    fuzz_feed(http2_open, whole, 1 + PREFACE + size - 1);
    free(whole);
    return 0;
}
