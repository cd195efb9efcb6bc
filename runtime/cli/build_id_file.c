/*
 * Build ids of ELF files (elf(5)). The file may be anything: every offset is checked against its length.
 */
#include "cli/build_id_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct bytes {
    const uint8_t *data;
    size_t length;
};

/* length bytes at offset, an empty range when they do not all exist. */
static struct bytes slice(struct bytes from, uint64_t offset, uint64_t length)
{
    if (offset > from.length || length > from.length - offset)
        return (struct bytes){ NULL, 0 };
    return (struct bytes){ from.data + offset, length };
}

static size_t aligned(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* The build id within the notes of one segment, empty when they have none. */
static struct bytes note_find(struct bytes notes)
{
    Elf64_Nhdr note;
    while (notes.length >= sizeof note) {
        memcpy(&note, notes.data, sizeof note);
        size_t name_end = sizeof note + aligned(note.n_namesz);
        struct bytes name = slice(notes, sizeof note, note.n_namesz);
        struct bytes description = slice(notes, name_end, note.n_descsz);
        if (description.data == NULL)
            break;
        if (note.n_type == NT_GNU_BUILD_ID && name.length == 4 && memcmp(name.data, "GNU", 4) == 0)
            return description;
        size_t next = name_end + aligned(note.n_descsz);
        notes = next < notes.length ? slice(notes, next, notes.length - next) : (struct bytes){ NULL, 0 };
    }
    return (struct bytes){ NULL, 0 };
}

static int object_search(struct bytes file, struct bytes *id)
{
    Elf64_Ehdr header;
    if (file.length < sizeof header)
        return -ENOEXEC;
    memcpy(&header, file.data, sizeof header);
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
        return -ENOEXEC;

    for (size_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        struct bytes entry = slice(file, header.e_phoff + i * sizeof segment, sizeof segment);
        if (entry.data == NULL)
            return -ENOEXEC;
        memcpy(&segment, entry.data, sizeof segment);
        if (segment.p_type == PT_NOTE)
            *id = note_find(slice(file, segment.p_offset, segment.p_filesz));
        if (id->data != NULL)
            return 0;
    }
    return -ENODATA;
}

static void hex_write(struct bytes id, char *hex, size_t size)
{
    *hex = '\0';
    for (size_t i = 0; i < id.length && 2 * i + 3 <= size; i++)
        snprintf(hex + 2 * i, size - 2 * i, "%02x", id.data[i]);
}

int build_id_of_file(const char *path, char *hex, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return -errno;

    int result = -ENOEXEC;
    void *data = MAP_FAILED;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
        data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data != MAP_FAILED) {
        struct bytes id = { NULL, 0 };
        result = object_search((struct bytes){ data, (size_t)status.st_size }, &id);
        if (result == 0)
            hex_write(id, hex, size);
        munmap(data, (size_t)status.st_size);
    }
    close(fd);
    return result;
}
