/*
 * Eight bytes of text at a time: most text has nothing to escape, and that is seen eight times as fast so. The
 * results have the highest bit of some byte set when there is such a byte anywhere, else they are 0; which byte
 * it was they do not say.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdint.h>
#include <string.h>

#define WORD_OF(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t word_at(const void *text)
{
    uint64_t word = 0;
    memcpy(&word, text, sizeof word);
    return word;
}

static inline uint64_t word_has(uint64_t word, unsigned char byte)
{
    uint64_t different = word ^ WORD_OF(byte);
    return (different - WORD_OF(1)) & ~different & WORD_OF(0x80);
}

/* Bytes below 0x20. */
static inline uint64_t word_has_control(uint64_t word)
{
    return (word - WORD_OF(0x20)) & ~word & WORD_OF(0x80);
}

/* Bytes of 0x80 and more. */
static inline uint64_t word_has_high(uint64_t word)
{
    return word & WORD_OF(0x80);
}

#endif
