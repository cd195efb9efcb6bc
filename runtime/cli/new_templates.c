/*
 * The files of sdk/template as part of the program. Whoever changes one is seen by the build: OBJECT_DEPENDS.
 */
#include "cli/new_text.h"

/* An assembler's .incbin: C of our standard has no #embed. */
#define TEMPLATE(symbol, file)                                                                                 \
    __asm__(".pushsection .rodata\n"                                                                           \
            ".globl " #symbol "\n"                                                                             \
            ".hidden " #symbol "\n" #symbol ":\n"                                                              \
            ".incbin \"" EDGE_TEMPLATES "/" file "\"\n"                                                        \
            ".byte 0\n"                                                                                        \
            ".popsection\n")

TEMPLATE(template_call_c, "function_call.c.in");
TEMPLATE(template_stream_c, "function_stream.c.in");
TEMPLATE(template_ws_c, "function_ws.c.in");
TEMPLATE(template_webhook_c, "function_webhook.c.in");
TEMPLATE(template_call_mjs, "test_call.mjs");
TEMPLATE(template_stream_mjs, "test_stream.mjs");
TEMPLATE(template_ws_mjs, "test_ws.mjs");
TEMPLATE(template_webhook_mjs, "test_webhook.mjs");
TEMPLATE(template_entry, "entry.toml");
TEMPLATE(template_support, "project/support.mjs");
TEMPLATE(template_cmake, "project/CMakeLists.txt");
TEMPLATE(template_toml, "project/functions.toml");
TEMPLATE(template_gitignore, "project/gitignore");
TEMPLATE(template_readme, "project/README.md");
TEMPLATE(template_runner, "run.mjs");
