/* The style sheet of the pages. For page_html.c alone. */
#ifndef UNDERSTUDY_STUDIO_PAGE_CSS_H
#define UNDERSTUDY_STUDIO_PAGE_CSS_H

#include "base/buf.h"

/*
 * Appends the content of <style>. Its hash stands in page_security_policy, in the same file: a
 * changed sheet needs the new hash, which the unit test of the pages prints.
 */
void page_css_append(struct buf *out);

#endif
