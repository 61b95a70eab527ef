#include "base/file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP = 64 * 1024, MIB = 1024 * 1024 };

int file_read(const char *path, unsigned max, struct buf *io_text, struct err *err)
{
    size_t got = 1, most = io_text->len + (size_t)max * MIB;
    FILE *file = fopen(path, "re");
    if (!file)
        return err_set(err, ERR_INVALID, "cannot be opened: %s", err_system(errno));
    while (got && buf_reserve(io_text, STEP) && io_text->len <= most) {
        got = fread(io_text->data + io_text->len, 1, STEP - 1, file);
        io_text->len += got;
        io_text->data[io_text->len] = '\0';
    }
    bool failed = ferror(file);
    (void)fclose(file); /* read alone */
    if (failed)
        return err_set(err, ERR_INVALID, "cannot be read");
    if (buf_failed(io_text))
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    return io_text->len <= most ? 0 : err_set(err, ERR_INVALID, "is larger than %u MiB", max);
}

/* -- writing ----------------------------------------------------------------------------------- */

/* Closes the file whatever happens; the first error counts. */
static int write_and_close(int fd, const struct buf *text, bool sync)
{
    int error = 0;
    for (size_t at = 0; !error && at < text->len;) {
        ssize_t written = write(fd, text->data + at, text->len - at);
        if (written < 0 && errno != EINTR)
            error = errno;
        at += written > 0 ? (size_t)written : 0;
    }
    if (sync && !error && fsync(fd) < 0)
        error = errno;
    if (close(fd) < 0 && !error)
        error = errno;
    return error;
}

/* A new file's descriptor; ERR_CREATE. */
static int create(const char *path, struct err *err)
{
    unlink(path); /* of a program that was killed; in containers its id comes again */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return fd < 0 ? err_set(err, ERR_CREATE, "cannot be created: %s", err_system(errno)) : fd;
}

static int write_beside(const char *path, const char *beside, mode_t mode, const struct buf *text,
                        struct err *err)
{
    int fd = create(beside, err);
    if (fd < 0)
        return fd;
    if (mode)
        (void)fchmod(fd, mode); /* where that is refused, the file is there all the same */
    int error = write_and_close(fd, text, true);
    if (!error && rename(beside, path) < 0)
        error = errno;
    if (!error)
        return 0;
    unlink(beside);
    return err_set(err, ERR_IO, "cannot be written: %s", err_system(error));
}

static void free_text(char **text)
{
    free(*text);
}

/* False: out of memory. */
static bool name_beside(const char *path, struct buf *out)
{
    buf_printf(out, "%s.%ld.tmp", path, (long)getpid());
    return !buf_failed(out);
}

int file_write(const char *path, const struct buf *text, struct err *err)
{
    struct stat found;
    cleanup(buf_finish) struct buf beside = BUF_INIT;
    cleanup(free_text) char *real = realpath(path, NULL);
    bool is_there = stat(path, &found) == 0;
    if (is_there && !S_ISREG(found.st_mode)) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        int error = fd < 0 ? errno : write_and_close(fd, text, false);
        return error ? err_set(err, ERR_IO, "cannot be written: %s", err_system(error)) : 0;
    }
    if (!name_beside(real ? real : path, &beside))
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    return write_beside(real ? real : path, beside.data, is_there ? found.st_mode & 07777 : 0, text,
                        err);
}

int file_check(const char *path, struct err *err)
{
    struct stat found;
    cleanup(buf_finish) struct buf beside = BUF_INIT;
    cleanup(free_text) char *real = realpath(path, NULL);
    if (stat(path, &found) == 0 && !S_ISREG(found.st_mode))
        return err_set(err, ERR_CREATE, "is there already, and is no file");
    if (!name_beside(real ? real : path, &beside))
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    int fd = create(beside.data, err);
    if (fd < 0)
        return fd;
    close(fd);
    unlink(beside.data);
    return 0;
}
