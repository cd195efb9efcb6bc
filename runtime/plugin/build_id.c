/*
 * Build ids of loaded objects; see build_id.h.
 */
#include "build_id.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct search {
    uintptr_t address;
    char *out;
    size_t size;
    bool found;
};

static bool contains(const struct dl_phdr_info *info, uintptr_t address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && address >= start && address < start + segment->p_memsz)
            return true;
    }
    return false;
}

static void print_hex(struct search *search, const unsigned char *bytes, size_t length)
{
    size_t at = 0;
    for (size_t i = 0; i < length && at + 3 <= search->size; i++, at += 2)
        snprintf(search->out + at, search->size - at, "%02x", bytes[i]);
    search->found = true;
}

/* A note is a header, then the name and the description, each padded to four bytes. */
static void read_notes(struct search *search, const char *at, size_t length)
{
    const char *end = at + length;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
        const ElfW(Nhdr) *note = (const void *)at;
        const char *name = at + sizeof *note;
        const char *description = name + ((note->n_namesz + 3u) & ~3u);
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
            print_hex(search, (const unsigned char *)description, note->n_descsz);
            return;
        }
        at = description + ((note->n_descsz + 3u) & ~3u);
    }
}

static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct search *search = arg;
    if (!contains(info, search->address))
        return 0;
    for (int i = 0; i < info->dlpi_phnum && !search->found; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_NOTE)
            read_notes(search, (const char *)(info->dlpi_addr + segment->p_vaddr), segment->p_memsz);
    }
    return 1;
}

void build_id_of(const void *address, char *out, size_t size)
{
    struct search search = { .address = (uintptr_t)address, .out = out, .size = size };
    snprintf(out, size, "unknown");
    dl_iterate_phdr(look, &search);
}
