#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { STEP = 64 * 1024, MIB = 1024 * 1024 };

int file_read(const char *path, unsigned max, struct buf *io_text, struct err *err)
{
    size_t got = 1, most = io_text->len + (size_t)max * MIB;
    FILE *file = fopen(path, "re");
    if (!file)
        return err_set(err, ERR_INVALID, "cannot be opened: %s", strerror(errno));
    while (got && buf_reserve(io_text, STEP) && io_text->len <= most) {
        got = fread(io_text->data + io_text->len, 1, STEP - 1, file);
        io_text->len += got;
        io_text->data[io_text->len] = '\0';
    }
    bool failed = ferror(file);
    fclose(file);
    if (failed)
        return err_set(err, ERR_INVALID, "cannot be read");
    if (buf_failed(io_text))
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    return io_text->len <= most ? 0 : err_set(err, ERR_INVALID, "is larger than %u MiB", max);
}
