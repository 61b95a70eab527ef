#include "studio/page_html.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "studio/page_css.h"

enum { INSTEAD_SIZE = 8 };

/*
 * The sequence at `at` that may not stand in HTML as it is: its length (0: none is there), and what
 * to write in its place. Invalid UTF-8 is passed on: under charset=utf-8 a browser shows U+FFFD for
 * it and takes no ASCII byte along.
 */
static size_t html_special(const char *at, char ret_instead[INSTEAD_SIZE])
{
    unsigned char c = (unsigned char)at[0], next = c ? (unsigned char)at[1] : 0;

    switch (c) {
    case '&':
        snprintf(ret_instead, INSTEAD_SIZE, "&amp;");
        return 1;
    case '<':
        snprintf(ret_instead, INSTEAD_SIZE, "&lt;");
        return 1;
    case '>':
        snprintf(ret_instead, INSTEAD_SIZE, "&gt;");
        return 1;
    case '"':
        snprintf(ret_instead, INSTEAD_SIZE, "&#34;");
        return 1;
    case '\'':
        snprintf(ret_instead, INSTEAD_SIZE, "&#39;");
        return 1;
    }
    if (c == 0xC2 && next >= 0x80 && next <= 0x9F) { /* C1 controls have no pictures */
        snprintf(ret_instead, INSTEAD_SIZE, "\xEF\xBF\xBD");
        return 2;
    }
    if (c == 0x7F) {
        snprintf(ret_instead, INSTEAD_SIZE, "\xE2\x90\xA1");
        return 1;
    }
    if (c >= 0x20 || c == '\t' || c == '\n' || c == '\0')
        return 0;
    if (c == '\r' && next == '\n') /* a line break, once */
        ret_instead[0] = '\0';
    else
        snprintf(ret_instead, INSTEAD_SIZE, "\xE2\x90%c", 0x80 + c);
    return 1;
}

/* Writes `text` up to its end or, with `line`, up to its first line feed; says where it stopped. */
static const char *html_escape(struct buf *out, const char *text, bool line)
{
    const char *plain = text; /* from here on nothing had to be replaced */
    char instead[INSTEAD_SIZE];

    while (*text && !(line && *text == '\n')) {
        size_t special = html_special(text, instead);
        if (!special) {
            text++;
            continue;
        }
        buf_append(out, plain, (size_t)(text - plain));
        buf_puts(out, instead);
        plain = text += special;
    }
    buf_append(out, plain, (size_t)(text - plain));
    return text;
}

void page_html_text(struct buf *out, const char *text)
{
    if (text)
        html_escape(out, text, false);
}

void page_html_inline(struct buf *out, const char *text)
{
    buf_puts(out, "<bdi>");
    page_html_text(out, text);
    buf_puts(out, "</bdi>");
}

/*
 * The style sheet keeps line feeds and hides <br>; browsers without style sheets do the opposite.
 * Either way each line break shows once, and the text of the element is the text that was given.
 */
void page_html_block(struct buf *out, const char *text)
{
    buf_puts(out, "<div class=\"text\" dir=\"auto\">");
    while (text && *text) {
        text = html_escape(out, text, true);
        if (*text == '\n') {
            buf_puts(out, "<br>\n");
            text++;
        }
    }
    buf_puts(out, "</div>\n");
}

static void html_percent(struct buf *out, const char *text, const char *keep)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; text && *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            strchr(keep, c)) {
            buf_putc(out, (char)c);
        } else {
            buf_putc(out, '%');
            buf_putc(out, hex[c >> 4]);
            buf_putc(out, hex[c & 15]);
        }
    }
}

void page_html_href(struct buf *out, const char *base, const char *folder, const char *segment)
{
    buf_puts(out, " href=\"");
    if (base && base[0] == '/' && base[1] != '/') /* "//" would begin a host */
        html_percent(out, base, "-._~/");
    buf_puts(out, folder);
    html_percent(out, segment, "-._~");
    buf_putc(out, '"');
}

void page_html_time(struct buf *out, int64_t ms)
{
    char text[TIME_TEXT_SIZE];

    time_format_seconds(ms, text);
    buf_printf(out, "<time datetime=\"%s\">%s</time>", text, text);
}

/* Seconds with as many decimals as they need: 145, 0.25. */
static void html_seconds(char ret_text[32], int64_t ms)
{
    int len = snprintf(ret_text, 32, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));

    while (ret_text[len - 1] == '0')
        ret_text[--len] = '\0';
    if (ret_text[len - 1] == '.')
        ret_text[len - 1] = '\0';
}

void page_html_duration(struct buf *out, int64_t ms)
{
    enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };
    char seconds[32];

    if (ms < 0)
        ms = 0;
    html_seconds(seconds, ms);
    buf_printf(out, "<time datetime=\"PT%sS\">", seconds);
    if (ms >= HOUR)
        buf_printf(out, "%" PRId64 " h ", ms / HOUR);
    if (ms >= MINUTE)
        buf_printf(out, "%d min ", (int)(ms % HOUR / MINUTE));
    html_seconds(seconds, ms % MINUTE);
    buf_printf(out, "%s s</time>", seconds);
}

void page_html_open(struct buf *out, const struct page_frame *frame)
{
    buf_puts(out, "<!DOCTYPE html>\n"
                  "<html lang=\"en\">\n"
                  "<head>\n"
                  "<meta charset=\"utf-8\">\n"
                  "<title>");
    page_html_text(out, frame->title);
    buf_puts(out, " · Understudy</title>\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  "<meta name=\"robots\" content=\"noindex\">\n");
    if (frame->refresh)
        buf_puts(out, "<meta http-equiv=\"refresh\" content=\"2\">\n");
    /* Embedded, so that no browser asks for /favicon.ico. */
    buf_puts(out, "<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg"
                  " xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
                  "%3Ccircle cx='10.5' cy='8' r='5' fill='%23c795b6'/%3E"
                  "%3Ccircle cx='6' cy='8' r='5.5' fill='%237a3562'/%3E%3C/svg%3E\">\n"
                  "<style>");
    page_css_append(out);
    buf_puts(out, "</style>\n"
                  "</head>\n"
                  "<body>\n"
                  "<header>\n"
                  "<p class=\"brand\">Understudy</p>\n");
    if (frame->workspace) {
        buf_puts(out, "<p class=\"workspace\">Workspace ");
        page_html_inline(out, frame->workspace);
        buf_puts(out, "</p>\n");
    }
    buf_puts(out, "</header>\n"
                  "<main>\n");
}

void page_html_close(struct buf *out)
{
    buf_puts(out, "</main>\n"
                  "<footer>\n"
                  "<p>This is Understudy, a stand-in for tests, not the vendor’s product."
                  " All times are UTC.</p>\n"
                  "</footer>\n"
                  "</body>\n"
                  "</html>\n");
}
