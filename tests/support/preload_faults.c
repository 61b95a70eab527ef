/*
 * Put before the C library by LD_PRELOAD, this makes the server's machine fail as a test says: its
 * store's files cannot be written or synced from some call on, its wall clock is moved, it is
 * killed at some statement. The file that FAULTS names holds what to do, in the order of `struct
 * faults`; the test changes it while the server runs (tests/support/faults.mjs).
 */
#undef _FILE_OFFSET_BITS /* which would make pwrite() another name of pwrite64() */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct faults {
    atomic_llong writes, syncs; /* that still succeed; -1: all */
    atomic_llong error;         /* errno of those that do not */
    atomic_llong times;         /* how many fail; -1: all */
    atomic_llong hits, hit_at;  /* out: how many have, and when the first did, in real ms */
    atomic_llong wall_ms;       /* added to the wall clock */
    atomic_llong statements;    /* that may begin; at the next, SIGKILL. -1: all */
    atomic_llong begun;         /* out: statements that did */
    atomic_llong stalls;        /* syncs do not end while this is 1 */
};

static struct faults *faults;

__attribute__((constructor)) static void set_up(void)
{
    const char *path = getenv("FAULTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *at = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED)
        faults = at;
}

/* dlsym() gives an object's address for a function's. */
#define NEXT(name_) (*(__typeof__(&(name_)) *)&(void *){dlsym(RTLD_NEXT, #name_)})

/* Counts down; true once nothing is left. */
static int is_over(atomic_llong *left)
{
    long long now = atomic_load(left);
    while (now > 0)
        if (atomic_compare_exchange_weak(left, &now, now - 1))
            return 0;
    return now == 0;
}

static int is_store(int fd)
{
    char link[40], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    return strstr(path, "/store.db") && !strstr(path, ".lock");
}

static int fails(int fd, atomic_llong *left)
{
    struct timespec now;
    if (atomic_load(left) < 0 || !is_store(fd) || !is_over(left))
        return 0;
    if (atomic_load(&faults->times) >= 0 && is_over(&faults->times))
        return 0;
    if (atomic_fetch_add(&faults->hits, 1) == 0) {
        NEXT(clock_gettime)(CLOCK_REALTIME, &now);
        atomic_store(&faults->hit_at, now.tv_sec * 1000LL + now.tv_nsec / 1000000);
    }
    errno = (int)atomic_load(&faults->error);
    return 1;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return faults && fails(fd, &faults->writes) ? -1 : NEXT(pwrite)(fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return faults && fails(fd, &faults->writes) ? -1 : NEXT(pwrite64)(fd, bytes, len, at);
}

/* A disk that takes its time. */
static void stall(int fd)
{
    while (faults && atomic_load(&faults->stalls) && is_store(fd))
        usleep(1000);
}

int fsync(int fd)
{
    stall(fd);
    return faults && fails(fd, &faults->syncs) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
    stall(fd);
    return faults && fails(fd, &faults->syncs) ? -1 : NEXT(fdatasync)(fd);
}

/* -- the wall clock ---------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = NEXT(clock_gettime)(clock, now);
    if (faults && result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        long long ms = atomic_load(&faults->wall_ms);
        now->tv_sec += (time_t)(ms / 1000);
        now->tv_nsec += (long)(ms % 1000) * 1000000;
        if (now->tv_nsec < 0) {
            now->tv_sec--;
            now->tv_nsec += 1000000000;
        }
        if (now->tv_nsec >= 1000000000) {
            now->tv_sec++;
            now->tv_nsec -= 1000000000;
        }
    }
    return result;
}

time_t time(time_t *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

/* -- statements -------------------------------------------------------------------------------- */

static int begins(unsigned kind, void *arg, void *statement, void *text)
{
    (void)kind;
    (void)arg;
    (void)statement;
    (void)text;
    atomic_fetch_add(&faults->begun, 1);
    if (is_over(&faults->statements))
        kill(getpid(), SIGKILL);
    return 0;
}

int sqlite3_open_v2(const char *path, sqlite3 **ret_connection, int flags, const char *vfs)
{
    int result = NEXT(sqlite3_open_v2)(path, ret_connection, flags, vfs);
    if (faults && result == SQLITE_OK)
        sqlite3_trace_v2(*ret_connection, SQLITE_TRACE_STMT, begins, NULL);
    return result;
}
