/* Small files, read whole. Any thread. */
#ifndef UNDERSTUDY_BASE_FILE_H
#define UNDERSTUDY_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Appends a file of at most `max` MiB. ERR_INVALID, with a text that reads on after the file's
 * name; ERR_NO_MEMORY. */
int file_read(const char *path, unsigned max, struct buf *io_text, struct err *err);

#endif
