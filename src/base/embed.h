/* Files that the build put into the binary (meson/embed.py): each list ends with a nameless one. */
#ifndef UNDERSTUDY_BASE_EMBED_H
#define UNDERSTUDY_BASE_EMBED_H

#include <stddef.h>

struct embedded_file {
    const char *name;
    const char *data; /* NUL-terminated */
    size_t len;       /* without that NUL */
};

extern const struct embedded_file schema_files[];  /* schema/, in order of their numbers */
extern const struct embedded_file openapi_files[]; /* openapi/ */

#endif
