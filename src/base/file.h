/* Small files, read whole. Any thread. */
#ifndef UNDERSTUDY_BASE_FILE_H
#define UNDERSTUDY_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Appends a file of at most `max` MiB. ERR_INVALID, with a text that reads on after the file's
 * name; ERR_NO_MEMORY. */
int file_read(const char *path, unsigned max, struct buf *io_text, struct err *err);

/*
 * Writes a file whole: whoever opens it sees what was there before or all of `text`, also when the
 * program ends half-way. A file that is there keeps its permissions, a link to it stays one. What
 * is no file (a pipe, /dev/stdout) is written as it is. ERR_CREATE: it cannot be made there;
 * ERR_IO: it cannot be written, and what was there before still is; each with a text that reads on
 * after the file's name. ERR_NO_MEMORY.
 */
int file_write(const char *path, const struct buf *text, struct err *err);

/* Whether file_write() could make a file there now, which takes a place beside it, too; what is no
 * file is refused, for it may keep its writer waiting. ERR_CREATE, ERR_NO_MEMORY, as above. */
int file_check(const char *path, struct err *err);

#endif
