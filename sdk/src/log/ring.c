/*
 * log_ring: lines in shared memory; see log_ring.h.
 *
 * The ring is an array of cells, numbered without end; a line takes as many as it needs, by one addition to
 * `taken`. Its first cell begins with a head whose number is the cell's own plus one: written last, so it says
 * that the line is whole. A reader that is out of step finds other numbers, or text, which never looks like
 * one: lines hold no NUL, and a number below 2^56 does. A writer that stands still for a whole round of the
 * ring may still write into what is somebody else's by then; the sum of a line's bytes tells.
 */
#include <log_ring.h>

#include <context.h>

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CELL_BYTES = 256,
    CELLS = 16384, /* 4 MiB: some 8000 lines of requests */
    LINE_MAX_BYTES = 4096,
    GIVE_UP_US = 500000 /* a process has died, or stands still, in the middle of a line */
};

struct head {
    _Atomic uint64_t number; /* the cell's, plus one */
    uint32_t length, sum;
};

struct log_ring {
    _Alignas(64) _Atomic uint64_t taken;
    _Alignas(64) char cells[CELLS * CELL_BYTES];
};

static struct {
    struct log_ring *ring;
    int fd;
} own = { .fd = -1 };

static uint64_t cells_of(size_t length)
{
    return (sizeof(struct head) + length + CELL_BYTES - 1) / CELL_BYTES;
}

static size_t offset_of(uint64_t cell)
{
    return cell % CELLS * CELL_BYTES;
}

int log_ring_open(void)
{
    int fd = memfd_create("edge-log", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    void *memory = MAP_FAILED;
    if (ftruncate(fd, sizeof(struct log_ring)) == 0)
        memory = mmap(NULL, sizeof(struct log_ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        int error = errno;
        close(fd);
        return -error;
    }
    own.ring = memory;
    own.fd = fd;
    return fd;
}

int log_ring_fd(void)
{
    return own.fd;
}

static uint64_t mixed(uint64_t sum, const char *bytes)
{
    uint64_t word = 0;
    memcpy(&word, bytes, sizeof word);
    sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 29;
}

/* Four sums side by side, as each waits for its last multiplication; then what is left, filled up with zeros.
 */
static uint32_t sum_of(const char *bytes, size_t length)
{
    uint64_t sums[4] = { length, 1, 2, 3 };
    size_t at = 0;
    for (; length - at >= sizeof sums; at += sizeof sums)
        for (size_t i = 0; i < 4; i++)
            sums[i] = mixed(sums[i], bytes + at + i * sizeof *sums);

    char rest[sizeof sums] = { 0 };
    memcpy(rest, bytes + at, length - at);
    uint64_t sum = 0;
    for (size_t i = 0; i < 4; i++)
        sum = mixed(sum ^ sums[i], rest + i * sizeof *sums);
    return (uint32_t)(sum >> 32);
}

/* Both ends of the array are neighbours. */
static void copy_in(struct log_ring *ring, size_t offset, const char *bytes, size_t length)
{
    size_t first = sizeof ring->cells - offset < length ? sizeof ring->cells - offset : length;
    memcpy(ring->cells + offset, bytes, first);
    memcpy(ring->cells, bytes + first, length - first);
}

void log_ring_put(const char *line, size_t length)
{
    struct log_ring *ring = own.ring;
    if (ring == NULL || length > LINE_MAX_BYTES)
        return;
    uint64_t cell = atomic_fetch_add_explicit(&ring->taken, cells_of(length), memory_order_relaxed);
    struct head *head = (struct head *)(ring->cells + offset_of(cell));
    atomic_store_explicit(&head->number, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    head->length = (uint32_t)length;
    head->sum = sum_of(line, length);
    copy_in(ring, (offset_of(cell) + sizeof *head) % sizeof ring->cells, line, length);
    atomic_store_explicit(&head->number, cell + 1, memory_order_release);
}

int log_ring_attach(int fd, struct log_ring_reader *reader)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size != sizeof(struct log_ring))
        return -EPROTO;
    void *memory = mmap(NULL, sizeof(struct log_ring), PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return -errno;
    *reader = (struct log_ring_reader){ .ring = memory };
    uint64_t taken = atomic_load(&reader->ring->taken);
    reader->at = taken > CELLS ? taken - CELLS : 0;
    reader->in_step = reader->at == 0;
    return 0;
}

void log_ring_detach(struct log_ring_reader *reader)
{
    if (reader->ring != NULL)
        munmap((void *)(uintptr_t)reader->ring, sizeof(struct log_ring));
    reader->ring = NULL;
}

static void copy_out(const struct log_ring *ring, size_t offset, char *bytes, size_t length)
{
    size_t first = sizeof ring->cells - offset < length ? sizeof ring->cells - offset : length;
    memcpy(bytes, ring->cells + offset, first);
    memcpy(bytes + first, ring->cells, length - first);
}

/* A line's length when it lies whole at the reader's cell and has been copied whole, else -1. */
static int take(struct log_ring_reader *reader, char *line)
{
    const struct log_ring *ring = reader->ring;
    const struct head *head = (const struct head *)(ring->cells + offset_of(reader->at));
    if (atomic_load_explicit(&head->number, memory_order_acquire) != reader->at + 1)
        return -1;
    uint32_t length = head->length, sum = head->sum;
    if (length > LINE_MAX_BYTES)
        return -1;
    copy_out(ring, (offset_of(reader->at) + sizeof *head) % sizeof ring->cells, line, length);
    atomic_thread_fence(memory_order_acquire);
    bool same = atomic_load_explicit(&head->number, memory_order_relaxed) == reader->at + 1;
    return same && sum_of(line, length) == sum ? (int)length : -1;
}

/* Whether to wait for the line at the reader's cell: somebody is writing it now. */
static bool waits(struct log_ring_reader *reader)
{
    if (!reader->in_step)
        return false;
    if (reader->stuck_us == 0)
        reader->stuck_us = clock_us();
    return clock_us() - reader->stuck_us < GIVE_UP_US;
}

bool log_ring_next(struct log_ring_reader *reader, char *line)
{
    for (;;) {
        uint64_t taken = atomic_load_explicit(&reader->ring->taken, memory_order_acquire);
        if (taken - reader->at > CELLS) {
            reader->lost += taken - CELLS - reader->at;
            reader->at = taken - CELLS;
            reader->in_step = false;
        }
        if (reader->at >= taken)
            return false;
        int length = take(reader, line);
        if (length >= 0) {
            reader->at += cells_of((size_t)length);
            reader->in_step = true;
            reader->stuck_us = 0;
            line[length] = '\0';
            if (length > 0 && line[length - 1] == '\n')
                line[length - 1] = '\0';
            return true;
        }
        if (waits(reader))
            return false;
        reader->at++;
        reader->in_step = false;
        reader->stuck_us = 0;
    }
}
