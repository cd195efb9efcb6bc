/*
 * A loaded plugin's imports, of which some are answered by the host's own functions: for this plugin only,
 * unlike a symbol that the host exports, which libpq, libcurl and OpenSSL would get as well.
 */
#ifndef PLUGIN_IMPORTS_H
#define PLUGIN_IMPORTS_H

/*
 * Asks about every import of a library (dlopen's handle, not yet called) and puts in place what it is given. A
 * plugin with no such import costs one look at each of its relocations. replacement: the address of a function
 * of the same type; NULL: the import stays as the loader has resolved it.
 */
void imports_replace(void *library, void *(*replacement)(const char *name));

#endif
