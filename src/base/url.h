/* URLs, as libcurl reads them: what is accepted here is what it will be asked to call. Any thread.
 */
#ifndef UNDERSTUDY_BASE_URL_H
#define UNDERSTUDY_BASE_URL_H

#include "base/buf.h"

#include <stdbool.h>

enum { URL_HOST_SIZE = 256, URL_PORT_SIZE = 6 };

/* Where a URL leads: its host in lower case, without the brackets of an address, and the port, the
 * scheme's own included. */
struct url_place {
    char scheme[6]; /* "http", "https" */
    char host[URL_HOST_SIZE];
    char port[URL_PORT_SIZE];
};

/* Whether `text` is an absolute http or https URL with a host and without user info (S6). */
bool url_is_callable(const char *text);

/* The same, and neither query nor fragment: what other URLs can be built on. */
bool url_is_base(const char *text);

/* False: it is no such URL as above. */
bool url_read_place(const char *text, struct url_place *ret_place);

/* Appends such a URL's path, "/" at least, as it is sent: escaped, and without its query. */
bool url_read_path(const char *text, struct buf *out);

/* "host:port", an IPv6 address in brackets. */
enum { URL_AUTHORITY_SIZE = URL_HOST_SIZE + URL_PORT_SIZE + 2 };
void url_format_authority(const struct url_place *place, char ret_text[URL_AUTHORITY_SIZE]);

#endif
