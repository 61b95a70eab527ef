#include "store/place.h"

#include "store/db_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRIVATE_PREFIX  "understudy-memory-"
#define STARTING_PREFIX "understudy-starting-"

/* SQLite's files beside the store's, and ours. */
static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", ".lock"};
enum { SUFFIXES = sizeof suffixes / sizeof *suffixes };

static int system_error(struct err *err, const char *what, const char *path)
{
    int code = errno == EACCES || errno == EPERM ? ERR_PERMISSION : ERR_CREATE;
    return err_set(err, code, "%s %s: %s", what, path, err_system(errno));
}

static char *join(const char *a, const char *b, const char *c)
{
    char *text = NULL;
    return asprintf(&text, "%s%s%s", a, b, c) < 0 ? NULL : text;
}

/* Takes the lock file; what it says is who holds it. */
static int lock_file(const char *path, int *ret_lock, struct err *err)
{
    char holder[32] = "";
    char *name = join(path, ".lock", "");
    if (!name)
        return err_set(err, ERR_NO_MEMORY, "out of memory");

    int status = 0;
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        status = system_error(err, "cannot create", name);
    } else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        ssize_t len = pread(fd, holder, sizeof holder - 1, 0);
        holder[len > 0 ? strcspn(holder, "\n") : 0] = '\0';
        status = err_set(err, ERR_HELD, "another server, process %s, holds %s",
                         *holder ? holder : "unknown", path);
        close(fd);
    } else {
        if (ftruncate(fd, 0) == 0)
            dprintf(fd, "%ld\n", (long)getpid());
        *ret_lock = fd;
    }
    free(name);
    return status;
}

static uint32_t big_endian(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Whether SQLite left something beside the file that belongs to it. */
static bool has_beside(const char *path, const char *suffix)
{
    struct stat about;
    char *name = join(path, suffix, "");
    bool has = name && stat(name, &about) == 0 && about.st_size > 0;
    free(name);
    return has;
}

/* The fields of SQLite's file header (its format, section 1.3) that tell whose a file is. */
static int inspect_header(const char *path, const unsigned char header[100], off_t size,
                          struct err *err)
{
    enum { PAGE_SIZE = 16, PAGES = 28, USER_VERSION = 60, APPLICATION_ID = 68 };

    if (memcmp(header, "SQLite format 3", 16) != 0)
        return err_set(err, ERR_FOREIGN, "%s is not an Understudy store", path);
    if (big_endian(header + APPLICATION_ID) != STORE_APPLICATION_ID)
        return err_set(err, ERR_FOREIGN, "%s is another program's SQLite file", path);
    uint32_t layout = big_endian(header + USER_VERSION);
    if (layout > (uint32_t)db_newest_layout())
        return err_set(err, ERR_NEWER,
                       "%s was written by a newer version (its layout is %u, this version knows "
                       "up to %d)",
                       path, layout, db_newest_layout());
    off_t page = header[PAGE_SIZE] << 8 | header[PAGE_SIZE + 1];
    if (page == 1)
        page = 65536;
    /* With a log beside it the file may rightly be shorter: the rest is in there. */
    if (size < page * (off_t)big_endian(header + PAGES) && !has_beside(path, "-wal"))
        return err_set(err, ERR_CORRUPT, "%s is damaged: its end is missing", path);
    return 0;
}

/* Looks at the file without SQLite, which could leave files beside it. A new or empty one is fine.
 */
static int inspect(const char *path, struct err *err)
{
    unsigned char header[100] = {0};
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : system_error(err, "cannot open", path);

    int status = 0;
    ssize_t len = 0;
    if (fstat(fd, &about) < 0)
        status = system_error(err, "cannot look at", path);
    else if (S_ISDIR(about.st_mode))
        status = err_set(err, ERR_CREATE, "%s is a directory", path);
    else if (!S_ISREG(about.st_mode))
        status = err_set(err, ERR_FOREIGN, "%s is not a regular file", path);
    else if ((len = pread(fd, header, sizeof header, 0)) < 0)
        status = err_set(err, ERR_IO, "cannot read %s: %s", path, err_system(errno));
    else if (about.st_nlink > 1)
        status = err_set(err, ERR_CREATE,
                         "%s has another name (a hard link), under which another server could open "
                         "it: SQLite would damage it",
                         path);
    else if (len > 0 && !has_beside(path, "-journal")) /* else a crash's: SQLite undoes it first */
        status = inspect_header(path, header, about.st_size, err);
    close(fd);
    return status;
}

static void remove_files(int directory)
{
    char name[40];
    for (size_t i = 0; i < SUFFIXES; i++) {
        snprintf(name, sizeof name, "store.db%s", suffixes[i]);
        unlinkat(directory, name, 0);
    }
}

static void remove_private(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        remove_files(fd);
        close(fd);
    }
    rmdir(directory);
}

/*
 * Removes one directory that a killed server left: its lock is free. Others may write to the parent
 * too, so nothing is followed, and what is not ours is let be.
 */
static void sweep_one(int parent, const char *name)
{
    struct stat about;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    int lock = -1;
    if (fstat(fd, &about) == 0 && about.st_uid == geteuid())
        lock = openat(fd, "store.db.lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0) {
        remove_files(fd);
        unlinkat(parent, name, AT_REMOVEDIR);
    }
    if (lock >= 0)
        close(lock);
    close(fd);
}

static int is_private(const struct dirent *entry)
{
    return strncmp(entry->d_name, PRIVATE_PREFIX, strlen(PRIVATE_PREFIX)) == 0;
}

static void sweep(const char *parent)
{
    struct dirent **entries = NULL;
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int count = fd < 0 ? 0 : scandirat(fd, ".", &entries, is_private, NULL);
    for (int i = 0; i < count; i++) {
        sweep_one(fd, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (fd >= 0)
        close(fd);
}

/*
 * Makes the directory under a name that no sweep looks at, takes its lock, and gives it its name
 * then: a sweep never sees one whose server is about to lock it.
 */
static int make_private(struct place *place, struct err *err)
{
    const char *parent = secure_getenv("TMPDIR");
    if (!parent || !*parent)
        parent = "/tmp";
    sweep(parent);
    char *fresh = join(parent, "/", STARTING_PREFIX "XXXXXX");
    if (!fresh)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    int status = 0;
    if (!mkdtemp(fresh)) {
        status = system_error(err, "cannot make a private directory under", parent);
        free(fresh);
        return status;
    }
    char *path = join(fresh, "/store.db", "");
    const char *random = fresh + strlen(fresh) - strlen("XXXXXX");
    place->directory = join(parent, "/" PRIVATE_PREFIX, random);
    place->path = place->directory ? join(place->directory, "/store.db", "") : NULL;
    if (!path || !place->path)
        status = err_set(err, ERR_NO_MEMORY, "out of memory");
    if (status == 0)
        status = lock_file(path, &place->lock, err);
    if (status == 0 && rename(fresh, place->directory) < 0)
        status = system_error(err, "cannot name the private directory", place->directory);
    if (status < 0)
        remove_private(fresh);
    free(path);
    free(fresh);
    return status;
}

/*
 * The file's one name, whatever links lead to it: the lock and SQLite's log go by the name. Of a
 * file that is not there yet, its directory's.
 */
static char *one_name(const char *path)
{
    char *found = realpath(path, NULL);
    if (found || errno != ENOENT)
        return found ? found : strdup(path); /* what cannot be resolved cannot be opened either */
    const char *slash = strrchr(path, '/');
    char *parent = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    char *directory = parent ? realpath(parent, NULL) : NULL;
    found = directory ? join(directory, "/", slash ? slash + 1 : path) : strdup(path);
    free(parent);
    free(directory);
    return found;
}

/*
 * A new file is its owner's alone: it has the values of callback_headers and the secrets of
 * webhooks as they are, which a callback is sent with. SQLite gives its files beside it the same
 * mode. What prevents it here prevents SQLite, too, which tells.
 */
static void make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

int place_init(struct place *place, const char *path, struct err *err)
{
    *place = (struct place){.lock = -1};
    int status = 0;
    if (strcmp(path, ":memory:") == 0) {
        status = make_private(place, err);
    } else if (!(place->path = one_name(path))) {
        status = err_set(err, ERR_NO_MEMORY, "out of memory");
    } else {
        status = inspect(place->path, err); /* before the lock: a foreign file gets no neighbour */
        if (status == 0)
            status = lock_file(place->path, &place->lock, err);
        if (status == 0)
            make_file(place->path);
    }
    if (status < 0)
        place_finish(place);
    return status;
}

void place_finish(struct place *place)
{
    if (place->directory)
        remove_private(place->directory);
    if (place->lock >= 0)
        close(place->lock);
    free(place->directory);
    free(place->path);
    *place = (struct place){.lock = -1};
}
