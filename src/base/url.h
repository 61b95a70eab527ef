/* URLs, as libcurl reads them: what is accepted here is what it will be asked to call. Any thread.
 */
#ifndef UNDERSTUDY_BASE_URL_H
#define UNDERSTUDY_BASE_URL_H

#include <stdbool.h>

/* Whether `text` is an absolute http or https URL with a host and without user info (S6). */
bool url_is_callable(const char *text);

/* The same, and neither query nor fragment: what other URLs can be built on. */
bool url_is_base(const char *text);

#endif
