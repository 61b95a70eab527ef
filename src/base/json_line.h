/* Where in a text a value stands, for messages to those who wrote it by hand. Pure; any thread. */
#ifndef UNDERSTUDY_BASE_JSON_LINE_H
#define UNDERSTUDY_BASE_JSON_LINE_H

#include <stddef.h>

/*
 * The line, from 1, of the value at `path` ("jobs[3].callback_headers.X-Key") in a text that is
 * valid JSON; where there is no such value, of the nearest one around it.
 */
size_t json_line_of(const char *text, const char *path);

#endif
