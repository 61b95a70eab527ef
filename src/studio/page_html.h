/*
 * What the pages are put together from: text, links and times as safe HTML, and the frame that all
 * pages share. For page.c alone. All append to `out`; NULL counts as "".
 */
#ifndef UNDERSTUDY_STUDIO_PAGE_HTML_H
#define UNDERSTUDY_STUDIO_PAGE_HTML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct page_frame {
    const char *title;     /* a plain text; what is user-made is made safe */
    const char *workspace; /* optional: named in the header */
    bool refresh;          /* the page reloads itself */
};

/* The document up to and with <main>, and from </main> to its end. */
void page_html_open(struct buf *out, const struct page_frame *frame);
void page_html_close(struct buf *out);

/*
 * Text for element content and double- or single-quoted attribute values. Control characters, which
 * HTML has no way to hold, come out as their pictures (U+0007 as U+2407); tab and line feed stay.
 */
void page_html_text(struct buf *out, const char *text);

/* One line of foreign text, whose direction cannot spread to its surroundings: <bdi>. */
void page_html_inline(struct buf *out, const char *text);

/* Foreign text with its line breaks, in a block of its own. */
void page_html_block(struct buf *out, const char *text);

/*
 * The path base + folder + segment as an attribute value: ` href="/w/a/scenarios/b"`. The base
 * keeps its slashes; a segment has none left, so it can never name another host, scheme or folder.
 */
void page_html_href(struct buf *out, const char *base, const char *folder, const char *segment);

/* A point in time and a length of time (in milliseconds, not negative) for people and machines. */
void page_html_time(struct buf *out, int64_t ms);
void page_html_duration(struct buf *out, int64_t ms);

#endif
