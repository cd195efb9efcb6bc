/*
 * A plugin's file as it is looked at before it is opened: what is read of a whole one, and that no spoilt one
 * does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <edge/function.h>

#include "plugin/object.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The smallest file that is a plugin for object_read: one segment, a descriptor, and its name among the
 * symbols. */
static struct file {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    edge_function descriptor;
    Elf64_Sym symbols[3]; /* the last one is what imports() asks for */
    char names[64];
    Elf64_Shdr sections[3];
} whole;

static const uint64_t BASE = 0x1000; /* of the segment in memory */

static char path[] = "/tmp/edge-object-XXXXXX";

static void make_whole(void)
{
    memset(&whole, 0, sizeof whole);
    FILE *own = fopen("/proc/self/exe", "rb");
    assert_non_null(own);
    assert_int_equal(fread(&whole.header, sizeof whole.header, 1, own), 1);
    fclose(own);
    whole.header.e_type = ET_DYN;
    whole.header.e_phoff = offsetof(struct file, segment);
    whole.header.e_phnum = 1;
    whole.header.e_shoff = offsetof(struct file, sections);
    whole.header.e_shnum = 3;
    whole.segment = (Elf64_Phdr){ .p_type = PT_LOAD, .p_vaddr = BASE, .p_filesz = sizeof whole };
    whole.descriptor = (edge_function){ .size = sizeof(edge_function), .abi_major = 3, .abi_minor = 4 };
    memcpy(whole.names + 1, "edge_plugin", sizeof "edge_plugin");
    whole.symbols[1] = (Elf64_Sym){ .st_name = 1,
        .st_shndx = 1,
        .st_value = BASE + offsetof(struct file, descriptor),
        .st_size = sizeof whole.descriptor };
    whole.sections[1] = (Elf64_Shdr){ .sh_type = SHT_DYNSYM,
        .sh_offset = offsetof(struct file, symbols),
        .sh_size = sizeof whole.symbols,
        .sh_link = 2 };
    whole.sections[2] = (Elf64_Shdr){
        .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct file, names), .sh_size = sizeof whole.names
    };
}

/* The whole file, importing a function. */
static struct file imports(const char *name)
{
    struct file file = whole;
    snprintf(file.names + 16, sizeof file.names - 16, "%s", name);
    file.symbols[2] = (Elf64_Sym){ .st_name = 16, .st_shndx = SHN_UNDEF };
    return file;
}

static int look(const void *data, size_t length, struct object *object)
{
    char reason[256] = "";
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, length, out), length);
    fclose(out);
    int result = object_read(path, object, reason, sizeof reason);
    assert_true(result == 0 || reason[0] != '\0');
    return result;
}

static void a_whole_file_tells_its_version(void **state)
{
    (void)state;
    struct object object;
    assert_int_equal(look(&whole, sizeof whole, &object), 0);
    assert_true(object.has_descriptor);
    assert_int_equal(object.abi_major, 3);
    assert_int_equal(object.abi_minor, 4);
    assert_int_equal(object.descriptor_size, sizeof(edge_function));
    assert_int_equal(object.symbol_size, sizeof(edge_function));
}

static void what_it_imports_is_read(void **state)
{
    (void)state;
    struct object object;
    struct file file = imports("edge_query");
    assert_int_equal(look(&file, sizeof file, &object), 0);
    assert_string_equal(object.banned, "");
    assert_false(object.keeps_mapped);
    static const char *const banned[] = { "_Exit", "_exit", "exit", "fork", "pthread_create", "setenv", "vfork",
        "json_set_alloc_funcs", "json_set_alloc_funcs2" };
    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++) {
        file = imports(banned[i]);
        assert_int_equal(look(&file, sizeof file, &object), 0);
        assert_string_equal(object.banned, banned[i]);
    }
    static const char *const staying[] = { "__cxa_thread_atexit_impl", "__cxa_atexit", "at_quick_exit",
        "on_exit" };
    for (size_t i = 0; i < sizeof staying / sizeof *staying; i++) {
        file = imports(staying[i]);
        assert_int_equal(look(&file, sizeof file, &object), 0);
        assert_string_equal(object.banned, "");
        assert_true(object.keeps_mapped);
    }
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct object object;
    for (size_t length = 0; length < sizeof whole; length++)
        assert_true(look(&whole, length, &object) < 0);
}

/* Each byte in turn, to each of the values that offsets and counts go wrong by; AddressSanitizer looks on. */
static void a_file_with_a_wrong_byte_does_no_harm(void **state)
{
    (void)state;
    static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
    for (size_t at = 0; at < sizeof whole; at++)
        for (size_t i = 0; i < sizeof values; i++) {
            struct object object;
            struct file spoilt = whole;
            ((uint8_t *)&spoilt)[at] = values[i];
            look(&spoilt, sizeof spoilt, &object);
        }
}

static void a_file_of_chance_does_no_harm(void **state)
{
    (void)state;
    unsigned seed = 20261122;
    for (int i = 0; i < 3000; i++) {
        struct object object;
        struct file spoilt = whole;
        for (int n = 0; n < 8; n++)
            ((uint8_t *)&spoilt)[(size_t)rand_r(&seed) % sizeof spoilt] = (uint8_t)rand_r(&seed);
        look(&spoilt, sizeof spoilt, &object);
    }
}

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    make_whole();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_tells_its_version),
        cmocka_unit_test(what_it_imports_is_read),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_file_with_a_wrong_byte_does_no_harm),
        cmocka_unit_test(a_file_of_chance_does_no_harm),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
