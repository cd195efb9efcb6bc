/*
 * Replacing imports (elf(5), "Relocation entries"); see imports.h. Plugins are linked with -z relro -z now, so
 * what the loader has resolved is read-only by now and is made writable for as long as it is changed.
 */
#include "imports.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
#define IS_SYMBOL(type) ((type) == R_X86_64_JUMP_SLOT || (type) == R_X86_64_GLOB_DAT || (type) == R_X86_64_64)
#elif defined(__aarch64__)
#define IS_SYMBOL(type)                                                                                        \
    ((type) == R_AARCH64_JUMP_SLOT || (type) == R_AARCH64_GLOB_DAT || (type) == R_AARCH64_ABS64)
#else
#error "Which relocations hold the address of a function? Add this processor's (its ELF supplement)"
#endif

struct table {
    const Elf64_Rela *entries;
    size_t count;
};

struct image {
    uintptr_t base;
    const Elf64_Sym *symbols;
    const char *names;
    struct table tables[2];       /* DT_RELA, DT_JMPREL */
    uintptr_t sealed, sealed_end; /* what the loader has made read-only, in whole pages; 0: nothing */
};

static const void *address_of(const struct image *image, const Elf64_Dyn *entry)
{
    /* glibc has added the base already, where the dynamic section can be written to. */
    uintptr_t address = entry->d_un.d_ptr;
    return (const void *)(address < image->base ? address + image->base : address);
}

static void read_dynamic(struct image *image, const Elf64_Dyn *entry)
{
    for (; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_SYMTAB)
            image->symbols = address_of(image, entry);
        else if (entry->d_tag == DT_STRTAB)
            image->names = address_of(image, entry);
        else if (entry->d_tag == DT_RELA)
            image->tables[0].entries = address_of(image, entry);
        else if (entry->d_tag == DT_RELASZ)
            image->tables[0].count = entry->d_un.d_val / sizeof(Elf64_Rela);
        else if (entry->d_tag == DT_JMPREL)
            image->tables[1].entries = address_of(image, entry);
        else if (entry->d_tag == DT_PLTRELSZ)
            image->tables[1].count = entry->d_un.d_val / sizeof(Elf64_Rela);
    }
}

static int find_sealed(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct image *image = arg;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (info->dlpi_addr != image->base)
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const Elf64_Phdr *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_GNU_RELRO)
            continue;
        /* Rounded as the loader does it: a page that is shared with other data stays writable. */
        image->sealed = (image->base + segment->p_vaddr) & ~(page - 1);
        image->sealed_end = (image->base + segment->p_vaddr + segment->p_memsz) & ~(page - 1);
    }
    return 1;
}

static int protect(const struct image *image, int protection)
{
    if (image->sealed >= image->sealed_end)
        return 0;
    return mprotect((void *)image->sealed, image->sealed_end - image->sealed, protection);
}

/* What takes the place of a relocation's symbol; NULL: nothing does. */
static void *wanted(const struct image *image, const Elf64_Rela *entry, void *(*replacement)(const char *name))
{
    const Elf64_Sym *symbol = &image->symbols[ELF64_R_SYM(entry->r_info)];
    if (ELF64_R_SYM(entry->r_info) == 0 || symbol->st_shndx != SHN_UNDEF ||
        !IS_SYMBOL(ELF64_R_TYPE(entry->r_info)))
        return NULL;
    return replacement(image->names + symbol->st_name);
}

void imports_replace(void *library, void *(*replacement)(const char *name))
{
    struct link_map *map = NULL;
    struct image image = { 0 };
    bool open = false;
    if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0)
        return;
    image.base = map->l_addr;
    read_dynamic(&image, map->l_ld);
    for (size_t t = 0; t < 2; t++) {
        for (size_t i = 0; image.tables[t].entries != NULL && i < image.tables[t].count; i++) {
            const Elf64_Rela *entry = &image.tables[t].entries[i];
            void *function = wanted(&image, entry, replacement);
            if (function == NULL)
                continue;
            if (!open) {
                dl_iterate_phdr(find_sealed, &image);
                if (protect(&image, PROT_READ | PROT_WRITE) < 0)
                    return;
                open = true;
            }
            memcpy((void *)(image.base + entry->r_offset), &function, sizeof function);
        }
    }
    if (open)
        protect(&image, PROT_READ);
}
