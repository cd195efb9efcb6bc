/*
 * Reading a plugin's file (elf(5)); see object.h. The file may be anything: every offset is checked against its
 * length.
 */
#include "object.h"

#include <edge/function.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LARGEST_FILE = 256 * 1024 * 1024
};

struct bytes {
    const uint8_t *data;
    size_t length;
};

/* The linker's name for the host's own header: which processor it is for. */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

static bool within(struct bytes file, uint64_t offset, uint64_t length)
{
    return offset <= file.length && length <= file.length - offset;
}

static bool copy_at(struct bytes file, uint64_t offset, void *out, size_t size)
{
    if (!within(file, offset, size))
        return false;
    memcpy(out, file.data + offset, size);
    return true;
}

/* Entry i of a table; the caller has checked that the table is in the file. */
static bool entry_at(struct bytes file, uint64_t table, size_t i, void *out, size_t size)
{
    return table <= file.length && copy_at(file, table + i * size, out, size);
}

/* The text at an offset of a table of names; NULL when it does not end within it. */
static const char *name_at(struct bytes file, const Elf64_Shdr *names, uint32_t offset)
{
    if (!within(file, names->sh_offset, names->sh_size) || offset >= names->sh_size)
        return NULL;
    const char *name = (const char *)file.data + names->sh_offset + offset;
    return memchr(name, '\0', names->sh_size - offset) != NULL ? name : NULL;
}

static int compare_names(const void *name, const void *entry)
{
    return strcmp(name, *(const char *const *)entry);
}

/* Of a table that is sorted: each worker asks for all imports of all functions when it starts. */
#define IS_LISTED(table, name)                                                                                 \
    (bsearch(name, table, sizeof(table) / sizeof *(table), sizeof *(table), compare_names) != NULL)

static bool begins(const char *name, const char *const *words)
{
    while (*words != NULL && strncmp(name, *words, strlen(*words)) != 0)
        words++;
    return *words != NULL;
}

/* What a function may turn out to need, from the calls that it has. */
static void note_call(const char *name, struct object *object)
{
    static const char *const sealing[] = { "seal", "open", NULL };
    static const char *const querying[] = { "query", "service_", "try_query", "try_service_", "tx_", "copy_in",
        "copy_out", "listen", "enqueue", "invoke", "require_role", NULL };
    if (strncmp(name, "edge_", 5) != 0)
        return;
    object->seals = object->seals || begins(name + 5, sealing);
    object->queries = object->queries || begins(name + 5, querying);
}

static void note_import(const char *name, struct object *object)
{
    /* What ends or forks the worker, starts threads beside its one, or changes what all share. */
    static const char *const banned[] = { "_Exit", "_exit", "alarm", "chdir", "chroot", "clearenv", "clone",
        "daemon", "execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe", "exit", "fexecve",
        "fork", "json_set_alloc_funcs", "json_set_alloc_funcs2", "popen", "posix_spawn", "posix_spawnp",
        "pthread_create", "pthread_sigmask", "putenv", "quick_exit", "setenv", "setgid", "setitimer",
        "setlocale", "setrlimit", "setuid", "sigaction", "sigaltstack", "signal", "sigprocmask", "system",
        "thrd_create", "unsetenv", "vfork" };
    static const char *const left_behind[] = { "__cxa_atexit", "__cxa_thread_atexit_impl", "at_quick_exit",
        "on_exit" };
    if (object->banned[0] == '\0' && IS_LISTED(banned, name))
        snprintf(object->banned, sizeof object->banned, "%s", name);
    object->keeps_mapped = object->keeps_mapped || IS_LISTED(left_behind, name);
    note_call(name, object);
}

/* The exported edge_plugin among the symbols of one section, and what is imported. */
static bool read_symbols(struct bytes file, const Elf64_Shdr *symbols, const Elf64_Shdr *names,
    Elf64_Sym *descriptor, struct object *object)
{
    bool found = false;
    for (size_t i = 0; i < symbols->sh_size / sizeof(Elf64_Sym); i++) {
        Elf64_Sym symbol;
        if (!entry_at(file, symbols->sh_offset, i, &symbol, sizeof symbol))
            return false;
        const char *name = name_at(file, names, symbol.st_name);
        if (name == NULL)
            continue;
        if (symbol.st_shndx == SHN_UNDEF) {
            note_import(name, object);
        } else if (!found && strcmp(name, "edge_plugin") == 0) {
            *descriptor = symbol;
            found = true;
        }
    }
    return found;
}

static bool find_descriptor(
    struct bytes file, const Elf64_Ehdr *header, Elf64_Sym *descriptor, struct object *object)
{
    Elf64_Shdr section, names;
    for (size_t i = 0; i < header->e_shnum; i++) {
        if (!entry_at(file, header->e_shoff, i, &section, sizeof section))
            return false;
        if (section.sh_type != SHT_DYNSYM)
            continue;
        return entry_at(file, header->e_shoff, section.sh_link, &names, sizeof names) &&
               read_symbols(file, &section, &names, descriptor, object);
    }
    return false;
}

/* Where in the file the bytes of an address lie; its length when they lie nowhere. */
static uint64_t offset_of(struct bytes file, const Elf64_Ehdr *header, uint64_t address)
{
    Elf64_Phdr segment;
    for (size_t i = 0; i < header->e_phnum; i++) {
        if (!entry_at(file, header->e_phoff, i, &segment, sizeof segment))
            break;
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
            address - segment.p_vaddr < segment.p_filesz)
            return segment.p_offset + (address - segment.p_vaddr);
    }
    return file.length;
}

static void read_descriptor(struct bytes file, const Elf64_Ehdr *header, struct object *object)
{
    Elf64_Sym symbol = { 0 };
    if (!find_descriptor(file, header, &symbol, object))
        return;
    uint64_t at = offset_of(file, header, symbol.st_value);
    object->symbol_size = symbol.st_size;
    object->has_descriptor =
        copy_at(file, at + offsetof(edge_function, size), &object->descriptor_size, sizeof(uint32_t)) &&
        copy_at(file, at + offsetof(edge_function, abi_major), &object->abi_major, sizeof(uint16_t)) &&
        copy_at(file, at + offsetof(edge_function, abi_minor), &object->abi_minor, sizeof(uint16_t));
}

/* What the loader will map, and the table of sections, which linkers write last, have to be there. */
static bool is_whole(struct bytes file, const Elf64_Ehdr *header)
{
    Elf64_Phdr segment;
    if (!within(file, header->e_shoff, (uint64_t)header->e_shnum * sizeof(Elf64_Shdr)))
        return false;
    for (size_t i = 0; i < header->e_phnum; i++) {
        if (!entry_at(file, header->e_phoff, i, &segment, sizeof segment))
            return false;
        bool mapped = segment.p_type == PT_LOAD || segment.p_type == PT_DYNAMIC || segment.p_type == PT_NOTE;
        if (mapped && !within(file, segment.p_offset, segment.p_filesz))
            return false;
    }
    return true;
}

static const char *defect(struct bytes file, Elf64_Ehdr *header)
{
    if (!copy_at(file, 0, header, sizeof *header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return "is no shared object: it has no ELF header";
    if (header->e_ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS] ||
        header->e_ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA] ||
        header->e_machine != __ehdr_start.e_machine)
        return "is built for another processor than this host";
    if (header->e_type != ET_DYN || header->e_phentsize != sizeof(Elf64_Phdr) ||
        (header->e_shnum > 0 && header->e_shentsize != sizeof(Elf64_Shdr)))
        return "is no shared object: link it with -shared";
    return is_whole(file, header) ? NULL : "is cut short: not all of it has been written";
}

/*
 * Mapped, not read: what is looked at is a few pages of a file that is mostly debug information. Nobody writes
 * to the copies that hosts open, and a file that is cut short meanwhile would end the loader, too.
 */
static int map_file(const char *path, struct bytes *file)
{
    struct stat status;
    void *data = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result = fd < 0 ? -errno : 0;
    if (result == 0 && fstat(fd, &status) < 0)
        result = -errno;
    if (result == 0 && (!S_ISREG(status.st_mode) || status.st_size > LARGEST_FILE))
        result = -ENOEXEC;
    if (result == 0 && status.st_size > 0)
        data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        result = -errno;
    if (fd >= 0)
        close(fd);
    if (result == 0)
        *file = (struct bytes){ data, (size_t)status.st_size };
    return result;
}

int object_read(const char *path, struct object *object, char *reason, size_t size)
{
    *object = (struct object){ 0 };
    struct bytes file = { NULL, 0 };
    int result = map_file(path, &file);
    if (result < 0) {
        snprintf(
            reason, size, "cannot be read: %s", result == -ENOEXEC ? "no regular file" : strerror(-result));
        return result;
    }
    Elf64_Ehdr header;
    const char *wrong = defect(file, &header);
    if (wrong != NULL)
        snprintf(reason, size, "%s", wrong);
    else
        read_descriptor(file, &header, object);
    if (file.data != NULL)
        munmap((void *)file.data, file.length);
    return wrong != NULL ? -ENOEXEC : 0;
}
