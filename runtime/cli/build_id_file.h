/*
 * The build id that the linker wrote into a shared object, read from its file: plugin/build_id.h does the same
 * for a loaded one, but loading runs the code in it.
 */
#ifndef BUILD_ID_FILE_H
#define BUILD_ID_FILE_H

#include <stddef.h>

/*
 * Reads the note of type NT_GNU_BUILD_ID of an ELF file, without loading it, as lower-case hexadecimal. 0 or a
 * negative errno: -ENOENT (no such file), -ENOEXEC (no 64-bit ELF object), -ENODATA (no such note).
 */
int build_id_of_file(const char *path, char *hex, size_t size);

#endif
