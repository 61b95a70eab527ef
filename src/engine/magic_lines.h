/* The #mock lines of a text (engine/magic.h), as far as they are looked for alone. Pure. */
#ifndef UNDERSTUDY_ENGINE_MAGIC_LINES_H
#define UNDERSTUDY_ENGINE_MAGIC_LINES_H

#include "base/buf.h"

#include <stdbool.h>

/* Whether there is any. */
bool magic_has_line(const char *text);

/* Appends the text without them; the ends of the lines stay. */
void magic_drop_lines(const char *text, struct buf *out);

#endif
