/*
 * The HTML pages that the Studio API's answers point to (S13, S24), and the page for what is not
 * there (H3): made by the server, read by people. Pure rendering: a plain view goes in, HTML is
 * appended to a buffer. No HTTP, no store, no state; any thread may call these functions at any
 * time.
 *
 * Every value of a view is data: whatever it holds, it comes out as text, and as a path segment
 * where it takes part in a link. Strings are UTF-8 and stay the caller's. Only those said to be
 * optional may be NULL. Times are milliseconds since the epoch and are shown as the documents show
 * them (S20). Want of memory is remembered by the buffer.
 *
 * There is no JavaScript, and nothing is loaded from anywhere: the page that has not reached its
 * end reloads itself by <meta http-equiv="refresh">. The headers worth sending with every page are
 *
 *     Content-Type: text/html; charset=utf-8        the escaping relies on the charset
 *     Content-Security-Policy: <page_security_policy>
 *     X-Content-Type-Options: nosniff
 *     Referrer-Policy: no-referrer                  session ids are in the addresses
 *     Cache-Control: no-store                       a page is right for one moment
 *     Cross-Origin-Resource-Policy: same-origin
 *     Cross-Origin-Opener-Policy: same-origin
 */
#ifndef UNDERSTUDY_STUDIO_PAGE_H
#define UNDERSTUDY_STUDIO_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* A job as a page shows it (S18). */
struct page_job {
    const char *id;
    const char *status; /* "queued", "processing", "completed", "failed" or "cancelled" */
    int64_t created_at_ms;
    int64_t started_at_ms;     /* -1: it never started */
    int64_t completed_at_ms;   /* -1: it has not ended */
    const char *error_code;    /* optional: only a failed job has one */
    const char *error_message; /* optional, likewise */
};

struct page_chat {
    const char *base_path; /* "" or "/w/<slug>" (H7): before percent-encoding */
    const char *workspace_name;
    const char *id; /* the session's */
    const char *prompt;
    const char *user_email;
    int64_t created_at_ms;
    const struct page_job *job; /* optional: NULL before it was started */
    const char *scenario_slug;  /* optional: NULL unless the job has completed */
    const char *scenario_name;  /* optional, likewise */
};

struct page_scenario {
    const char *base_path;
    const char *workspace_name;
    const char *id;
    const char *slug;
    const char *name;
    const char *prompt;      /* optional: NULL where no job made it */
    const char *context;     /* optional */
    const char *owner_email; /* optional, likewise */
    int64_t created_at_ms;
    const char *source_slug;    /* optional: what a remix came from */
    const char *source_name;    /* optional, likewise; without it the slug stands for the name */
    bool source_exists;         /* whether the source can still be linked */
    const struct page_job *job; /* optional: the job that made it */
    const char *session_id;     /* optional: NULL when no session asked for it */
};

/*
 * The Content-Security-Policy of every page below: nothing may be loaded or run but the one
 * embedded style sheet, named by its hash, and the icon, which is a data: URL.
 */
extern const char page_security_policy[];

/*
 * The page of a session (S13): its prompt as the user's message, its job's way from queued to its
 * end, and there the link to the scenario (S24), the failure's words (S23), or that it was
 * cancelled. Reloads itself every two seconds until the job has ended.
 */
void page_chat(struct buf *out, const struct page_chat *view);

/* The page of a scenario (S24): what it is, what it came from, and the job that made it. */
void page_scenario(struct buf *out, const struct page_scenario *view);

/* A page that says what went wrong: the HTTP status, a title of a few words, a sentence or two. */
void page_problem(struct buf *out, int status, const char *title, const char *detail);

#endif
