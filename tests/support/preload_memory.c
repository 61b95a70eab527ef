/*
 * Put before the C library by LD_PRELOAD, this has the server's memory run out as a test says: the
 * Nth allocation from now fails, and so many behind it. It counts the blocks that are in use, so
 * that what is never freed shows when the server has ended. The file that MEMORY names holds what
 * to do, in the order of `struct memory`; the test changes it while the server runs
 * (tests/support/memory.mjs). With MEMORY_TRACE set, where an allocation failed is written to
 * stderr.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct memory {
    atomic_llong left;  /* allocations that still succeed; -1: all */
    atomic_llong times; /* how many fail then; -1: all */
    atomic_llong hits;  /* out: how many have failed */
    atomic_llong count; /* out: how many there were */
    atomic_llong live;  /* out: blocks in use */
};

enum { FRAMES = 24 };

/* What there is before the file is mapped. */
static struct memory first = {.left = -1, .times = -1};
static struct memory *memory = &first;
static int traces;

static void *(*next_malloc)(size_t size);
static void *(*next_calloc)(size_t count, size_t size);
static void *(*next_realloc)(void *block, size_t size);
static void *(*next_memalign)(size_t alignment, size_t size);
static void (*next_free)(void *block);

/* dlsym() gives an object's address for a function's. It allocates nothing where it succeeds. */
#define FIND(name_)                                                                                \
    do {                                                                                           \
        if (!next_##name_)                                                                         \
            *(void **)&next_##name_ = dlsym(RTLD_NEXT, #name_);                                    \
    } while (0)

__attribute__((constructor)) static void set_up(void)
{
    void *frames[FRAMES];
    const char *path = getenv("MEMORY");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (getenv("MEMORY_TRACE"))
        traces = backtrace(frames, FRAMES); /* which allocates at its first call alone */
    if (fd < 0)
        return;
    struct memory *at = mmap(NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        return;
    atomic_store(&at->live, atomic_load(&first.live));
    memory = at;
}

static void trace(void)
{
    void *frames[FRAMES];
    static const char end[] = "--\n";
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDERR_FILENO);
    if (write(STDERR_FILENO, end, sizeof end - 1) < 0)
        traces = 0;
}

/* Counts down; true once nothing is left. */
static int is_over(atomic_llong *left)
{
    long long now = atomic_load(left);
    while (now > 0)
        if (atomic_compare_exchange_weak(left, &now, now - 1))
            return 0;
    return now == 0;
}

static int fails(void)
{
    atomic_fetch_add(&memory->count, 1);
    if (!is_over(&memory->left))
        return 0;
    if (atomic_load(&memory->times) >= 0 && is_over(&memory->times))
        return 0;
    atomic_fetch_add(&memory->hits, 1);
    if (traces)
        trace();
    errno = ENOMEM;
    return 1;
}

static void *counted(void *block)
{
    if (block)
        atomic_fetch_add(&memory->live, 1);
    return block;
}

void *malloc(size_t size)
{
    FIND(malloc);
    return fails() ? NULL : counted(next_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    FIND(calloc);
    return fails() ? NULL : counted(next_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    FIND(realloc);
    if (fails())
        return NULL;
    void *moved = next_realloc(block, size);
    if (!block)
        return counted(moved);
    if (!size && !moved)
        atomic_fetch_sub(&memory->live, 1);
    return moved;
}

void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

void *memalign(size_t alignment, size_t size)
{
    FIND(memalign);
    return fails() ? NULL : counted(next_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    void *block = memalign(alignment, size);
    if (!block)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

void free(void *block)
{
    FIND(free);
    if (!block)
        return;
    atomic_fetch_sub(&memory->live, 1);
    next_free(block);
}
