/*
 * Keys one by one, and safe text; see keys.h.
 */
#include "cli/keys.h"

#include <stdio.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool changed;

void print_safely(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        /* U+0080 to U+009F, in UTF-8, are control characters too. */
        bool c1 = byte == 0xC2 && i + 1 < length && ((unsigned char)text[i + 1] & 0xE0) == 0x80;
        putchar((byte < 0x20 && byte != '\t') || byte == 0x7F || c1 ? '?' : byte);
        i += c1;
    }
}

bool keys_open(void)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    struct termios keys = before;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    changed = tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
    return changed;
}

void keys_restore(void)
{
    if (changed)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    changed = false;
}
