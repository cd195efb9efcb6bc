/*
 * Backtraces; see backtrace.h. The table of objects is filled outside of handlers, because the loader's own
 * lists may not be walked inside one.
 */
#include "backtrace.h"

#include "supervisor/slots.h"

#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    OBJECTS_MAX = 1024
};

static struct object {
    uintptr_t base, start, end;
    char name[192];
} objects[OBJECTS_MAX];
static int object_count;
static struct {
    uintptr_t start, end;
} own_code; /* the host's */

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size, (void)arg;
    for (int i = 0; i < info->dlpi_phnum && object_count < OBJECTS_MAX; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0)
            continue;
        struct object *object = &objects[object_count++];
        const char *name = info->dlpi_name[0] != '\0' ? info->dlpi_name : "/proc/self/exe";
        size_t length = strlen(name), kept = length < sizeof object->name ? length : sizeof object->name - 1;
        object->base = info->dlpi_addr;
        object->start = info->dlpi_addr + segment->p_vaddr;
        object->end = object->start + segment->p_memsz;
        memcpy(object->name, name + length - kept, kept + 1); /* the end of a long path says more */
        if (info->dlpi_name[0] == '\0') {
            own_code.start = object->start;
            own_code.end = object->end;
        }
    }
    return 0;
}

void backtrace_note_objects(void)
{
    object_count = 0;
    dl_iterate_phdr(note_object, NULL);
}

/* The host's or a plugin's: the system's libraries have no frame pointers. */
static bool is_our_code(uintptr_t address)
{
    for (int i = 0; i < object_count; i++)
        if (address >= objects[i].start && address < objects[i].end)
            return strncmp(objects[i].name, "/lib/", 5) != 0 && strncmp(objects[i].name, "/usr/lib/", 9) != 0;
    return false;
}

static void add_frame(struct slot_crash *record, uintptr_t address)
{
    if (record->frame_count >= SLOT_FRAMES_MAX)
        return;
    int i = 0;
    while (i < object_count && (address < objects[i].start || address >= objects[i].end))
        i++;
    uint64_t offset = i < object_count ? address - objects[i].base : address;
    const char *name = i < object_count ? objects[i].name : "?";
    char *out = record->frames[record->frame_count].object;
    size_t length = 0;
    for (; name[length] != '\0' && length + 1 < sizeof record->frames[0].object; length++)
        out[length] = name[length];
    out[length] = '\0';
    record->frames[record->frame_count++].offset = offset;
}

static bool is_plugin_code(uintptr_t address)
{
    return is_our_code(address) && !(address >= own_code.start && address < own_code.end);
}

/* A frame whose callers lead into a plugin: what earlier calls have left on the stack seldom does. */
static bool leads_to_plugin(const uintptr_t *frame, const char *high)
{
    enum {
        FRAMES_MAX = 64
    };
    for (int i = 0; i < FRAMES_MAX; i++) {
        if (is_plugin_code(frame[1]))
            return true;
        if (frame[0] <= (uintptr_t)frame || frame[0] + 2 * sizeof(uintptr_t) > (uintptr_t)high ||
            frame[0] % 8 != 0)
            return false;
        frame = (const uintptr_t *)frame[0];
    }
    return false;
}

/*
 * libc has no frame pointers: from inside it, the first thing on the stack that looks like a frame of somebody
 * who has is where to go on (a return address with a higher stack address below it).
 */
static uintptr_t find_frame(uintptr_t stack, const char *low, const char *high)
{
    enum {
        WORDS_MAX = 1024
    };
    uintptr_t first = 0;
    if (stack < (uintptr_t)low || stack % 8 != 0)
        return 0;
    const uintptr_t *word = (const uintptr_t *)stack, *end = (const uintptr_t *)(const void *)high - 1;
    for (int i = 0; i < WORDS_MAX && word < end; i++, word++) {
        if (word[0] <= (uintptr_t)word || word[0] >= (uintptr_t)high || word[0] % 8 != 0 ||
            !is_our_code(word[1]))
            continue;
        if (leads_to_plugin(word, high))
            return (uintptr_t)word;
        first = first != 0 ? first : (uintptr_t)word;
    }
    return first;
}

#if defined(__x86_64__)
#define PROGRAM_COUNTER(at) ((uintptr_t)(at)->uc_mcontext.gregs[REG_RIP])
#define FRAME_POINTER(at) ((uintptr_t)(at)->uc_mcontext.gregs[REG_RBP])
#define STACK_POINTER(at) ((uintptr_t)(at)->uc_mcontext.gregs[REG_RSP])
#elif defined(__aarch64__)
#define PROGRAM_COUNTER(at) ((uintptr_t)(at)->uc_mcontext.pc)
#define FRAME_POINTER(at) ((uintptr_t)(at)->uc_mcontext.regs[29])
#define STACK_POINTER(at) ((uintptr_t)(at)->uc_mcontext.sp)
#endif

void backtrace_take(struct slot_crash *record, const ucontext_t *at, const char *low, const char *high)
{
    record->frame_count = 0;
    add_frame(record, PROGRAM_COUNTER(at));
    uintptr_t frame = FRAME_POINTER(at);
    if (frame < (uintptr_t)low || frame >= (uintptr_t)high)
        frame = find_frame(STACK_POINTER(at), low, high);
    while (frame >= (uintptr_t)low && frame + 2 * sizeof(uintptr_t) <= (uintptr_t)high && frame % 8 == 0) {
        const uintptr_t *pair = (const uintptr_t *)frame;
        if (pair[1] == 0)
            break;
        add_frame(record, pair[1] - 1); /* the call, not what comes behind it */
        if (pair[0] <= frame)
            break;
        frame = pair[0];
    }
}
