/*
 * Whether a field fits, is asked of rule_matches() with a rule of this field alone, so that nothing
 * here can see it otherwise than rules do.
 */
#include "control/request_differ.h"

#include "base/difference.h"
#include "base/escape.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "control/internal.h"

#include <stdio.h>
#include <string.h>

enum {
    SHOWN_MAX = 20,  /* fields of one request */
    VALUE_MAX = 400, /* bytes of a JSON value that is shown as it is */
    FAR = 100,
    PIECE_SIZE = 16,   /* escape_text()'s least, for one character */
    SIBLINGS_MAX = 64, /* members among which a misspelt one is looked for */
};

/* One side of what differs: a text or a JSON value; neither: there is none. */
struct side {
    const char *text;
    const json_t *value;
};

static struct side text_side(const char *text)
{
    return (struct side){.text = text};
}

static struct side value_side(const json_t *value)
{
    return (struct side){.value = value};
}

/* -- showing ----------------------------------------------------------------------------------- */

static void put_text(struct buf *out, const char *text, const struct difference *difference)
{
    struct buf shown = BUF_INIT;
    if (difference)
        difference_put_seen(&shown, difference);
    else
        difference_put_short(&shown, text);
    out->failed |= buf_failed(&shown);
    json_put_string(out, shown.data ? shown.data : "", shown.len);
    buf_finish(&shown);
}

static void put_value(struct buf *out, const json_t *value)
{
    struct buf whole = BUF_INIT;
    json_put_value(&whole, value);
    out->failed |= buf_failed(&whole);
    if (whole.len > VALUE_MAX)
        put_text(out, whole.data, NULL);
    else
        buf_append(out, whole.data ? whole.data : "", whole.len);
    buf_finish(&whole);
}

static void put_side(struct buf *out, struct side side, const struct difference *difference)
{
    if (side.text)
        put_text(out, side.text, difference);
    else if (json_is_string(side.value))
        put_text(out, json_string_value(side.value), difference);
    else if (side.value)
        put_value(out, side.value);
    else
        buf_puts(out, "null");
}

/* Ends no line and turns no terminal's writing: names and texts may be anything. */
static void put_shown(struct buf *out, const struct buf *text)
{
    char piece[PIECE_SIZE];
    size_t used;
    for (size_t i = 0; i < text->len; i += used) {
        used = escape_utf8_length(text->data + i, text->len - i);
        used = used ? used : 1;
        buf_append(out, piece,
                   escape_text(ESCAPE_PLAIN, text->data + i, used, piece, sizeof piece));
    }
    out->failed |= buf_failed(text);
}

static const char *text_of(struct side side)
{
    return side.text ? side.text : json_string_value(side.value);
}

/* "  match.prompt: expected "renewal", seen null (the request had no prompt)" */
static void put_line(struct buf *out, const struct buf *path, const struct buf sides[2],
                     const char *what)
{
    const struct buf more = {.data = (char *)what, .len = what ? strlen(what) : 0};
    buf_puts(out, "  ");
    put_shown(out, path);
    buf_puts(out, ": expected ");
    put_shown(out, &sides[0]);
    buf_puts(out, ", seen ");
    put_shown(out, &sides[1]);
    buf_puts(out, what ? " (" : "\n");
    put_shown(out, &more);
    buf_puts(out, what ? ")\n" : "");
}

/* Whether there is room for one more. */
static bool is_shown(const struct differ *differ)
{
    return differ->items && differ->shown < SHOWN_MAX;
}

/* The field at differ->path, with `what` more there is to say of it. */
static void show(struct differ *differ, struct side expected, struct side seen,
                 const struct difference *difference, const char *what)
{
    struct buf path = BUF_INIT, sides[2] = {BUF_INIT, BUF_INIT};
    if (!is_shown(differ))
        return;
    differ->shown++;
    difference_put_short(&path, differ->path.data ? differ->path.data : "");
    put_side(&sides[0], expected, NULL);
    put_side(&sides[1], seen, difference);
    buf_puts(differ->items, differ->shown > 1 ? ",{\"path\":" : "{\"path\":");
    json_put_string(differ->items, path.data ? path.data : "", path.len);
    buf_printf(differ->items,
               ",\"expected\":%s,\"seen\":%s,\"what\":", sides[0].data ? sides[0].data : "null",
               sides[1].data ? sides[1].data : "null");
    json_put_text(differ->items, what);
    buf_putc(differ->items, '}');
    put_line(differ->lines, &path, sides, what);
    differ->items->failed |= buf_failed(&sides[0]) || buf_failed(&sides[1]);
    buf_finish(&path);
    buf_finish(&sides[0]);
    buf_finish(&sides[1]);
}

/* -- one field --------------------------------------------------------------------------------- */

/* The path becomes `prefix` and `name`. */
static void set_path(struct differ *differ, const char *prefix, const char *name)
{
    differ->path.len = 0;
    buf_puts(&differ->path, prefix);
    buf_puts(&differ->path, name);
}

/* It was not there, or is not the same; `absent` says what there was not. */
static void note(struct differ *differ, struct side expected, struct side seen, bool anywhere,
                 const char *absent)
{
    struct buf what = BUF_INIT, plain = BUF_INIT;
    const char *text = text_of(seen);
    differ->count++;
    if (!text || !text_of(expected)) {
        differ->distance += FAR;
        show(differ, expected, seen, NULL, seen.text || seen.value ? NULL : absent);
        return;
    }
    utf8_append_field(&plain, text, strlen(text)); /* a header's may be anything */
    struct difference difference =
        difference_of(text_of(expected), plain.data ? plain.data : "", anywhere);
    differ->distance += difference_distance(&difference);
    if (difference.near)
        difference_put(&what, &difference);
    show(differ, expected, text_side(plain.data ? plain.data : ""), &difference, what.data);
    buf_finish(&what);
    buf_finish(&plain);
}

/* What is one of a few words has no differences between the letters. */
static void note_word(struct differ *differ, const char *expected, const char *seen,
                      const char *absent)
{
    differ->count++;
    differ->distance += FAR;
    show(differ, text_side(expected), text_side(seen), NULL, seen ? NULL : absent);
}

/* It may be in what is not kept. */
static void note_unsure(struct differ *differ, struct side expected)
{
    differ->unsure++;
    show(differ, expected, (struct side){0}, NULL,
         "not known: it may be in what is not kept of the request");
}

void request_differ_add(struct differ *differ, const char *path, const char *expected,
                        const char *seen)
{
    set_path(differ, "", path);
    differ->count++;
    show(differ, text_side(expected), text_side(seen), NULL, NULL);
    buf_finish(&differ->path);
}

/* Whether the request fits a rule of these fields alone; or an error. */
static int fits(const struct rule_match *match, struct journal_request *asked)
{
    const struct rule rule = {.match = *match};
    return rule_matches(&rule, &asked->rules);
}

/* `, but "user_emial"`: what the body has instead, by the looks of it; where that is shown. */
static void put_near(const struct differ *differ, const json_t *body, const char *name,
                     struct buf *out)
{
    const char *names[SIBLINGS_MAX + 1];
    size_t count = 0;
    json_t *members = (json_t *)body; /* its iterators want it writable; they do not write */
    if (!is_shown(differ)) /* it costs more than all else, and bodies may have many members */
        return;
    for (void *at = json_object_iter(members); at && count < SIBLINGS_MAX;
         at = json_object_iter_next(members, at))
        names[count++] = json_object_iter_key(at);
    names[count] = NULL;
    const char *near = nearest_name(name, names);
    if (near) {
        buf_puts(out, ", but ");
        complain_quote(out, near);
    }
}

static void differ_operation(const struct rule_match *match, const struct journal_request *asked,
                             struct differ *differ)
{
    if (match->operation < 0 || match->operation == asked->entry->operation)
        return;
    set_path(differ, differ->match, "operation");
    note_word(differ, rule_operations[match->operation], asked->entry->operation_id,
              "no operation has such a path and method");
}

static void differ_headers(const struct rule_match *match, const struct journal_request *asked,
                           struct differ *differ)
{
    for (size_t i = 0; i < match->header_count; i++) {
        const struct rule_header *wanted = &match->headers[i];
        const char *value = journal_header(&asked->entry->headers, wanted->name);
        if (value && (!wanted->value || strcmp(value, wanted->value) == 0))
            continue;
        set_path(differ, differ->match, "header.");
        buf_puts(&differ->path, wanted->name);
        note(differ, text_side(wanted->value ? wanted->value : "any value"), text_side(value),
             false, "the request had no such header");
    }
}

/* -- fields that are texts --------------------------------------------------------------------- */

struct text_field {
    const char *name, *absent;
    struct rule_match alone; /* a match of this field and no other */
    struct side expected, seen;
    bool anywhere;
    const char *member; /* of the body, that it is; NULL: it is elsewhere */
};

static int differ_text(const struct text_field *field, struct journal_request *asked,
                       struct differ *differ)
{
    if (!field->expected.text && !field->expected.value)
        return 0;
    int status = fits(&field->alone, asked);
    if (status != 0)
        return status < 0 ? status : 0;
    const json_t *body = field->member ? asked->rules.body : NULL;
    struct side seen = field->seen;
    struct buf absent = BUF_INIT;
    if (!seen.text) /* it may be there, and be no text */
        seen.value = json_object_get(body, field->member);
    buf_puts(&absent, field->absent);
    if (field->member && !seen.text && !seen.value)
        put_near(differ, body, field->member, &absent);
    set_path(differ, differ->match, field->name);
    if (!seen.text && !seen.value && field->member && asked->is_partial)
        note_unsure(differ, field->expected);
    else
        note(differ, field->expected, seen, field->anywhere, absent.data);
    buf_finish(&absent);
    return 0;
}

static int differ_project(const struct rule_match *match, struct journal_request *asked,
                          struct differ *differ)
{
    const struct text_field field = {.name = "project",
                                     .absent = "the request was about no project",
                                     .alone = {.operation = -1, .project = match->project},
                                     .expected = {.text = match->project},
                                     .seen = {.text = asked->rules.project}};
    return differ_text(&field, asked, differ);
}

/* What the filter was given as, for what has no text: {"regex": …}. */
static const json_t *member(const struct request_filter *filter, const char *name)
{
    const json_t *document = filter->match->document;
    const json_t *match = json_object_get(document, "match"); /* of a rule's own */
    return json_object_get(match ? match : document, name);
}

static int differ_texts(const struct request_filter *filter, struct journal_request *asked,
                        struct differ *differ)
{
    const struct rule_match *match = &filter->match->match;
    const struct rule_request *rules = &asked->rules;
    const struct text_field fields[] = {
        {.name = "email",
         .absent = "the request had no user_email",
         .alone = {.operation = -1,
                   .email = match->email,
                   .email_end = match->email_end,
                   .email_end_len = match->email_end_len},
         .expected = {.text = match->email},
         .seen = {.text = rules->email ? rules->folded : NULL},
         .member = "user_email"},
        {.name = "request_id",
         .absent = "the request had no request_id",
         .alone = {.operation = -1, .request_id = match->request_id},
         .expected = {.text = match->request_id},
         .seen = {.text = rules->request_id},
         .member = "request_id"},
        {.name = "scenario_slug",
         .absent = "the request had no scenario_slug",
         .alone = {.operation = -1, .scenario_slug = match->scenario_slug},
         .expected = {.text = match->scenario_slug},
         .seen = {.text = rules->scenario_slug},
         .member = "scenario_slug"},
        {.name = "job",
         .absent = "the request was about no job",
         .alone = {.operation = -1, .job = match->job},
         .expected = {.text = match->job},
         .seen = {.text = rules->job}},
        {.name = "prompt",
         .absent = "the request had no prompt",
         .alone = {.operation = -1,
                   .prompt = match->prompt,
                   .prompt_pattern = match->prompt_pattern},
         .expected = {.text = match->prompt,
                      .value = match->prompt_pattern ? member(filter, "prompt") : NULL},
         .seen = {.text = rules->prompt},
         .anywhere = true,
         .member = "prompt"},
    };
    int status = 0;
    for (size_t i = 0; status == 0 && i < sizeof fields / sizeof *fields; i++)
        status = differ_text(&fields[i], asked, differ);
    return status;
}

/* -- bodies ------------------------------------------------------------------------------------ */

static void note_absent(struct differ *differ, const json_t *expected, const json_t *parent,
                        const char *name)
{
    struct buf what = BUF_INIT;
    buf_puts(&what, "there was no such member");
    put_near(differ, parent, name, &what);
    note(differ, value_side(expected), (struct side){0}, false, what.data);
    buf_finish(&what);
}

static void differ_value(struct differ *differ, const json_t *expected, const json_t *seen);

static void differ_members(struct differ *differ, const json_t *expected, const json_t *seen,
                           bool partial)
{
    size_t len = differ->path.len;
    json_t *members = (json_t *)expected; /* as in put_near() */
    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *own = json_object_get(seen, name);
        buf_putc(&differ->path, '.');
        buf_puts(&differ->path, name);
        if (own)
            differ_value(differ, json_object_iter_value(at), own);
        else if (partial)
            note_unsure(differ, (struct side){.value = json_object_iter_value(at)});
        else
            note_absent(differ, json_object_iter_value(at), seen, name);
        differ->path.len = len;
    }
}

static void differ_elements(struct differ *differ, const json_t *expected, const json_t *seen)
{
    size_t len = differ->path.len;
    for (size_t i = 0; i < json_array_size(expected); i++) {
        buf_printf(&differ->path, "[%zu]", i);
        differ_value(differ, json_array_get(expected, i), json_array_get(seen, i));
        differ->path.len = len;
    }
}

/* Arrays of other lengths differ as a whole. */
static void note_sizes(struct differ *differ, const json_t *expected, const json_t *seen)
{
    char what[80];
    snprintf(what, sizeof what, "%zu elements for %zu", json_array_size(seen),
             json_array_size(expected));
    differ->count++;
    differ->distance += FAR;
    show(differ, value_side(expected), value_side(seen), NULL, what);
}

/* Its depth is that of a filter, which jansson bounds to 2,048. */
static void differ_value(struct differ *differ, const json_t *expected, const json_t *seen)
{
    if (rule_has_part(seen, expected))
        return;
    if (json_is_object(expected) && json_is_object(seen))
        differ_members(differ, expected, seen, false);
    else if (!json_is_array(expected) || !json_is_array(seen))
        note(differ, value_side(expected), value_side(seen), false, NULL);
    else if (json_array_size(expected) == json_array_size(seen))
        differ_elements(differ, expected, seen);
    else
        note_sizes(differ, expected, seen);
}

static void differ_body(const struct rule_match *match, const struct journal_request *asked,
                        struct differ *differ)
{
    const json_t *body = asked->rules.body;
    const struct side expected = {.value = match->body};
    if (!match->body)
        return;
    set_path(differ, differ->match, "body");
    if (body)
        differ_members(differ, match->body, body, asked->is_partial);
    else if (asked->is_partial)
        note_unsure(differ, expected);
    else
        note(differ, expected, (struct side){0}, false,
             asked->entry->body.whole ? "the request's body was no JSON object"
                                      : "the request had no body");
}

/* -- how it ended ------------------------------------------------------------------------------ */

static void differ_end(const struct request_filter *filter, const struct journal_entry *entry,
                       struct differ *differ)
{
    char expected[16], seen[16];
    bool is_class = filter->lowest_status != filter->highest_status;
    if (filter->lowest_status &&
        (entry->status < filter->lowest_status || entry->status > filter->highest_status)) {
        snprintf(expected, sizeof expected, is_class ? "%dxx" : "%d",
                 is_class ? filter->lowest_status / 100 : filter->lowest_status);
        snprintf(seen, sizeof seen, "%d", entry->status);
        set_path(differ, differ->own, "status");
        note_word(differ, expected, entry->status ? seen : NULL, "there was no answer");
    }
    if (filter->end < 0 || (int)entry->end == filter->end)
        return;
    set_path(differ, differ->own, "end");
    note_word(differ, journal_end_names[filter->end], journal_end_names[entry->end], NULL);
}

/* -- the whole --------------------------------------------------------------------------------- */

static int differ_match(const struct request_filter *filter, struct journal_request *asked,
                        struct differ *differ)
{
    const struct rule_match *match = &filter->match->match;
    differ_operation(match, asked, differ);
    int status = differ_project(match, asked, differ);
    differ_headers(match, asked, differ);
    if (status < 0 || differ->at_a_glance)
        return status;
    status = rule_request_fill(&asked->rules);
    if (status == 0)
        status = differ_texts(filter, asked, differ);
    if (status == 0)
        differ_body(match, asked, differ);
    return status;
}

int request_differ(const struct request_filter *filter, struct journal_request *asked,
                   struct differ *differ)
{
    int status = filter->match ? differ_match(filter, asked, differ) : 0;
    if (status == 0)
        differ_end(filter, asked->entry, differ);
    buf_finish(&differ->path);
    return status;
}

int request_filter_judge(const struct request_filter *filter, struct journal_request *asked,
                         enum request_fit *ret_fit)
{
    struct differ differ = {.match = "", .own = ""};
    int status = request_filter_fits_asked(filter, asked);
    if (status < 0)
        return status;
    *ret_fit = status ? FIT_YES : FIT_NO;
    if (status || !asked->is_partial)
        return 0;
    status = request_differ(filter, asked, &differ);
    if (differ.count == 0 && differ.unsure > 0)
        *ret_fit = FIT_UNSURE;
    return status;
}
