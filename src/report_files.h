/* The files of --report: what GET /_mock/report answers, written when the server has stopped.
 * Main's thread. */
#ifndef UNDERSTUDY_REPORT_FILES_H
#define UNDERSTUDY_REPORT_FILES_H

#include "base/err.h"
#include "config.h"

struct control;

/* Whether all of them can be written, as it looks at the start; ERR_CREATE or ERR_NO_MEMORY with
 * the reason. */
int report_files_check(const struct config *config, struct err *err);

/* Writes all that can be, each whole, and logs those that cannot; false: there were such. Once
 * nothing more is counted. */
bool report_files_write(const struct config *config, struct control *control);

#endif
