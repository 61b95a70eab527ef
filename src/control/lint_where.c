#include "control/lint_where.h"

#include "base/blot.h"
#include "base/json.h"
#include "control/journal_match.h"
#include "control/lint_look.h"
#include "control/lint_path.h"

#include <string.h>

/* One entry, while it is looked at. */
struct places {
    const struct lint_where *where;
    const struct journal_entry *entry;
    uint64_t findings;
    json_t *body; /* NULL: it has none, or it is no object */
    enum finding finding;
    bool any;    /* a place of it was told */
    bool failed; /* for want of memory */
};

static void put_text(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    if (text)
        json_put_foreign(out, text, strlen(text));
    else
        buf_puts(out, "null");
}

/* Tells a place, and forgets it. */
static void tell(struct places *places, struct buf *place)
{
    places->any = true;
    if (buf_failed(place))
        places->failed = true;
    else
        places->where->visit(places->where->arg, places->finding, place->data ? place->data : "");
    buf_finish(place);
}

/* -- what each finding is about ---------------------------------------------------------------- */

static void tell_member(void *arg, const char *name, const char *meant)
{
    struct places *places = arg;
    const struct journal_entry *entry = places->entry;
    struct buf place = BUF_INIT;
    if (entry->body.len < entry->body.whole && /* the field that is missed may have been cut off */
        !(entry->findings & finding_bit(FINDING_MISSPELLED_FIELD)))
        meant = NULL;
    if ((places->finding == FINDING_MISSPELLED_FIELD) != (meant != NULL))
        return;
    put_text(&place, "field", name);
    if (meant)
        put_text(&place, "meant", meant);
    tell(places, &place);
}

static void tell_fields(struct places *places)
{
    const struct route_fields *fields =
        lint_fields(places->where->apis, places->where->api_count, places->entry->operation_id);
    if (fields && places->body)
        lint_each_unknown(fields, places->body, tell_member, places);
}

static void tell_content_type(struct places *places)
{
    struct buf place = BUF_INIT;
    put_text(&place, "content_type", journal_header(&places->entry->headers, "Content-Type"));
    tell(places, &place);
}

static void tell_method(struct places *places)
{
    struct buf place = BUF_INIT;
    put_text(&place, "method", places->entry->method);
    tell(places, &place);
}

/* The name of the first parameter that has a key; of a key that stands by itself, none. */
static void tell_parameter(struct places *places)
{
    const char *at = strchr(places->entry->target, '?');
    struct buf place = BUF_INIT, text = BUF_INIT;
    while (at && *at) {
        size_t len = strcspn(++at, "&");
        buf_finish(&text);
        buf_append(&text, at, len);
        if (text.data && blot_has_key(text.data))
            break;
        at += len;
    }
    char *value = text.data ? strchr(text.data, '=') : NULL;
    if (value)
        *value = '\0';
    put_text(&place, "parameter", value && !blot_has_key(text.data) ? text.data : NULL);
    place.failed |= buf_failed(&text);
    buf_finish(&text);
    tell(places, &place);
}

static void tell_path(struct places *places)
{
    const struct journal_entry *entry = places->entry;
    struct buf place = BUF_INIT, shown = BUF_INIT, meant = BUF_INIT;
    const char *method = strcmp(entry->method, "HEAD") == 0 ? "GET" : entry->method;
    bool found = entry->path && lint_path_meant(places->where->apis, places->where->api_count,
                                                method, entry->path, &shown, &meant);
    put_text(&place, "method", entry->method);
    put_text(&place, "path", found ? shown.data : entry->path);
    if (found)
        put_text(&place, "meant", meant.data);
    place.failed |= buf_failed(&shown) || buf_failed(&meant);
    buf_finish(&shown);
    buf_finish(&meant);
    tell(places, &place);
}

static void tell_request_id(struct places *places)
{
    struct buf place = BUF_INIT;
    put_text(&place, "request_id", json_string_value(json_object_get(places->body, "request_id")));
    tell(places, &place);
}

static void tell_job(struct places *places)
{
    struct buf place = BUF_INIT;
    put_text(&place, "job", *places->entry->job ? places->entry->job : NULL);
    tell(places, &place);
}

/* -- the whole --------------------------------------------------------------------------------- */

/* Those of which there is more to say than the operation. */
static void (*const tellers[FINDINGS])(struct places *places) = {
    [FINDING_UNKNOWN_FIELD] = tell_fields,
    [FINDING_MISSPELLED_FIELD] = tell_fields,
    [FINDING_CONTENT_TYPE_WRONG] = tell_content_type,
    [FINDING_BODY_ON_GET] = tell_method,
    [FINDING_KEY_IN_QUERY] = tell_parameter,
    [FINDING_MISSPELLED_PATH] = tell_path,
    [FINDING_REQUEST_ID_REUSED] = tell_request_id,
    [FINDING_POLLED_FAST] = tell_job,
    [FINDING_POLLED_AFTER_END] = tell_job,
};

/* Those that are in the body. */
static bool asks_for_body(uint64_t findings)
{
    return findings & (finding_bit(FINDING_UNKNOWN_FIELD) | finding_bit(FINDING_MISSPELLED_FIELD) |
                       finding_bit(FINDING_REQUEST_ID_REUSED));
}

int lint_where_each(const struct lint_where *where, const struct journal_entry *entry,
                    uint64_t findings)
{
    struct places places = {.where = where, .entry = entry, .findings = findings};
    if (asks_for_body(findings))
        places.body = journal_body_json(entry);
    for (int i = 0; i < FINDINGS; i++) {
        struct buf nothing = BUF_INIT;
        if (!(findings & finding_bit((enum finding)i)))
            continue;
        places.finding = (enum finding)i;
        places.any = false;
        if (tellers[i])
            tellers[i](&places);
        if (!places.any) /* it was in what the journal has not kept */
            tell(&places, &nothing);
    }
    json_decref(places.body);
    return places.failed ? ERR_NO_MEMORY : 0;
}
