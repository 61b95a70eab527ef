/*
 * A place in what happened in a workspace, as lists and waits give and take it (C9): an opaque text
 * to clients. The one place that reads and writes it.
 *
 * It has a part for each kind of list, "<jobs>.<requests>" and then what others appended; an absent
 * part is 0, and zeros at the end may be left out. Pure but for the last two; any thread.
 */
#ifndef UNDERSTUDY_CONTROL_CURSOR_H
#define UNDERSTUDY_CONTROL_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

struct db;
struct workspace;

struct cursor {
    int64_t jobs;       /* the event number of a job (engine/events.h): those up to it were seen */
    int64_t requests;   /* how many requests to the APIs there were since the server's start */
    int64_t workspaces; /* of the list of workspaces: those up to this key were seen */
    int64_t rules;      /* of a rule: those up to it were seen */
    int64_t webhooks;   /* of a delivery: those up to it were seen */
    int64_t inbox;      /* of a message in an inbox: those up to it were seen */
    int64_t journal;    /* of an entry of the journal: those up to it were seen */
    /* Of a timeline: the place of its last item, in that order (timeline.h); and, where its limit
       did not cut it, when it was told, in real ms, and the newest attempt that was there. */
    int64_t at, sent, place, step, told, attempts;
};

enum {
    CURSOR_PARTS = 13,
    CURSOR_SIZE = CURSOR_PARTS * 20 + 1, /* 19 digits and a dot or the NUL each */
};

void cursor_format(const struct cursor *cursor, char ret_text[CURSOR_SIZE]);

/* False: no cursor ever looked like this. */
bool cursor_parse(const char *text, struct cursor *ret_cursor);

/*
 * The workspace's present, as far as memory knows it: read before the store is, it is behind
 * nothing that a list then shows up to it.
 */
struct cursor cursor_now(struct workspace *workspace);

/* Adds the parts that only the store knows. 0 or its error. */
int cursor_complete(struct workspace *workspace, struct db *db, struct cursor *io_cursor);

#endif
