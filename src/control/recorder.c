/*
 * An entry is put together on the stack, with what is secret blotted out, and copied once into
 * memory of its own. This is done for every request, so nothing here parses or allocates that does
 * not have to.
 */
#include "control/recorder.h"

#include "base/blot.h"
#include "base/digest.h"
#include "base/json.h"
#include "control/internal.h"
#include "control/journal_match.h"
#include "control/lint_look.h"
#include "control/outcome_of.h"
#include "control/request_note.h"
#include "control/secrets.h"
#include "engine/feed.h"
#include "engine/journal.h"
#include "engine/rules.h"
#include "engine/tally.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    LAST = 4,        /* characters of a secret that are shown */
    SECRET_MIN = 16, /* of one that has so many at least */
    /* Of all names and values; a request's head has less, and so has an answer's. */
    HEADERS_SIZE = 16 * 1024,
};

/* -- what is secret ---------------------------------------------------------------------------- */

/*
 * A body with the values of callback_headers blotted out, to be freed by free(); NULL: there are
 * none in its first *io_len bytes. Where it is not JSON, or there is no memory, it ends where they
 * begin.
 */
static char *blot_headers(struct request *request, const char *body, size_t *io_len)
{
    size_t kept = *io_len < JOURNAL_BODY_MAX ? *io_len : JOURNAL_BODY_MAX;
    const char *at = blot_find(body, kept, SECRETS_MEMBER);
    const json_t *value = NULL;
    struct err err;
    if (!at)
        return NULL;
    struct buf text = BUF_INIT;
    json_t *copy = request_json(request, &value, &err) == 0 ? secrets_blot(value) : NULL;
    if (copy)
        json_put_value(&text, copy);
    json_decref(copy);
    if (copy && !buf_failed(&text))
        return buf_take(&text, io_len);
    buf_finish(&text);
    *io_len = (size_t)(at - body);
    return NULL;
}

/* API keys, wherever they stand: answers repeat what they were asked with, in any spelling. */
static void blot_entry(struct journal_entry *entry)
{
    const struct journal_text *asked[] = {&entry->headers, &entry->body};
    bool escapes = blot_has_escapes(entry->target, strlen(entry->target));
    for (size_t i = 0; !escapes && i < sizeof asked / sizeof *asked; i++)
        escapes = asked[i]->len && blot_has_escapes(asked[i]->data, asked[i]->len);
    blot_keys(entry->bytes, entry->size - sizeof *entry, escapes);
}

/* -- putting it together ----------------------------------------------------------------------- */

struct packed {
    size_t len;
    char bytes[HEADERS_SIZE];
};

static void pack(struct packed *packed, const char *name, size_t name_len, const char *value,
                 size_t value_len)
{
    char *at = packed->bytes + packed->len;
    if (name_len + value_len + 2 > sizeof packed->bytes - packed->len)
        return;
    memcpy(at, name, name_len);
    at[name_len] = '\0';
    memcpy(at + name_len + 1, value, value_len);
    at[name_len + 1 + value_len] = '\0';
    packed->len += name_len + value_len + 2;
}

static bool is_credential(const char *name, size_t len)
{
    return (len == 13 && strncasecmp(name, "Authorization", len) == 0) ||
           (len == 19 && strncasecmp(name, "Proxy-Authorization", len) == 0);
}

/* "Bearer …3f9a" */
static void pack_header(void *arg, const char *name, size_t name_len, const char *value,
                        size_t value_len)
{
    static const char ellipsis[] = "…";
    enum { ELLIPSIS = sizeof ellipsis - 1, SCHEME_MAX = 20 };
    char text[SCHEME_MAX + ELLIPSIS + LAST];
    if (!is_credential(name, name_len)) {
        pack(arg, name, name_len, value, value_len);
        return;
    }
    const char *blank = memchr(value, ' ', value_len);
    size_t scheme = blank ? (size_t)(blank - value) + 1 : 0;
    size_t shown = value_len - scheme >= SECRET_MIN ? LAST : 0;
    if (scheme > SCHEME_MAX)
        scheme = 0;
    memcpy(text, value, scheme);
    memcpy(text + scheme, ellipsis, ELLIPSIS);
    memcpy(text + scheme + ELLIPSIS, value + value_len - shown, shown);
    pack(arg, name, name_len, text, scheme + ELLIPSIS + shown);
}

static void pack_answer_header(void *arg, const char *name, size_t name_len, const char *value,
                               size_t value_len)
{
    pack(arg, name, name_len, value, value_len);
}

/* The last four of the caller's key, or what it sent as one. */
static void note_key(const struct request *request, struct journal_entry *entry)
{
    const char *authorization = request_authorization(request);
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return;
    size_t len = strlen(authorization);
    if (len >= 7 + SECRET_MIN)
        memcpy(entry->key, authorization + len - LAST, LAST + 1);
}

/* The job that is the first of the path's parameters. */
static void note_named_job(const struct request *request, struct journal_entry *entry)
{
    const char *job = request_param(request, 0);
    size_t len = strlen(job);
    if (len < sizeof entry->job)
        memcpy(entry->job, job, len + 1);
}

/* A request that is over. */
struct over {
    struct request *request;
    const struct request_end *end;
    int64_t age;                               /* µs */
    const struct rule_subject *subject;        /* NULL: it is not among a workspace's rules */
    const struct outcome_operation *operation; /* NULL: none of the APIs' */
};

/* The job that the request names in its path, or has made. */
static void note_job(const struct over *over, struct journal_entry *entry)
{
    const struct rule_subject *subject = over->subject;
    const struct outcome_operation *operation = over->operation;
    if (subject && *subject->made)
        memcpy(entry->job, subject->made, sizeof entry->job);
    else if (operation && (operation->kind == TALLY_POLL || operation->kind == TALLY_CANCEL))
        note_named_job(over->request, entry);
}

static const enum journal_end ends[] = {
    [END_ANSWERED] = JOURNAL_ANSWERED, [END_TRUNCATED] = JOURNAL_TRUNCATED,
    [END_DRIPPED] = JOURNAL_DRIPPED,   [END_DROPPED] = JOURNAL_DROPPED,
    [END_HUNG] = JOURNAL_HUNG,         [END_GARBAGE] = JOURNAL_GARBAGE,
    [END_LEFT] = JOURNAL_LEFT,
};

static void describe(const struct over *over, struct journal_entry *entry)
{
    struct request *request = over->request;
    const struct rule_subject *subject = over->subject;
    *entry = (struct journal_entry){
        .request = subject ? subject->request : 0,
        .at = subject ? subject->begun_at : -1,
        .sent_at = request_begun_at(request),
        .duration = over->age / 1000,
        .connection = request_connection(request),
        .end = ends[over->end->kind],
        .status = over->end->status,
        .operation = over->operation ? over->operation->rule : -1,
        .outcome = -1,
        .operation_id = request_operation(request),
        .method = request_is_head(request) ? "HEAD" : request_method(request),
        .target = request_target(request),
        .path = request_path(request),
        .id = request_id(request),
    };
    note_job(over, entry);
    if (subject && subject->answer)
        memcpy(entry->rule, subject->answer->id, sizeof entry->rule);
    else if (subject && subject->job)
        memcpy(entry->rule, subject->job->id, sizeof entry->rule);
}

/* Headers and bodies; what is blotted out is so in the entry's own copy. */
static struct journal_entry *complete(struct request *request, const struct request_end *end,
                                      struct journal_entry *entry, bool with_bodies)
{
    struct packed headers, answer_headers;
    char *blotted = NULL;
    headers.len = answer_headers.len = 0;
    request_each_header(request, pack_header, &headers);
    request_each_answer_header(request, pack_answer_header, &answer_headers);
    entry->headers = (struct journal_text){headers.bytes, headers.len, headers.len};
    entry->answer_headers =
        (struct journal_text){answer_headers.bytes, answer_headers.len, answer_headers.len};
    entry->answer.whole = end->len;
    if (with_bodies) {
        struct journal_text *body = &entry->body;
        body->data = request_body(request, &body->len);
        blotted = blot_headers(request, body->data, &body->len);
        if (blotted)
            body->data = blotted;
        entry->answer = (struct journal_text){end->body, end->len, end->len};
    }
    entry->body.whole = (size_t)request_received(request);
    struct journal_entry *whole = journal_entry_create(entry);
    free(blotted);
    if (whole)
        blot_entry(whole);
    return whole;
}

/* -- whose it is ------------------------------------------------------------------------------- */

/* Of a path below /api/projects/{project} that is none of the Scenarios API's, or a method that it
 * does not have there; NULL: it is no such path. */
static struct workspace *find_by_project(struct registry *registry, const struct request *request)
{
    struct workspace *found = NULL;
    const char *sent = request_path(request);
    char *text = sent ? strdup(sent) : NULL;
    struct path path;
    bool too_many;
    if (text && path_split(text, &path, &too_many) && path.count > 2 &&
        strcmp(path.segments[0], "api") == 0 && strcmp(path.segments[1], "projects") == 0) {
        found = registry_by_project(registry, path.segments[2]);
        if (!found)
            found = registry_default(registry);
    }
    free(text);
    return found;
}

static struct workspace *find_by_key(struct registry *registry, const struct request *request)
{
    const char *authorization = request_authorization(request);
    const char *key = authorization ? strstr(authorization, "exec_live_") : NULL;
    unsigned char hash[KEY_HASH_SIZE];
    if (!key)
        return NULL;
    digest_sha256(key, strlen(key), hash);
    return registry_by_key(registry, hash);
}

/* Of a request that no API has found to be about anything: the prefix's, else the project's (C11),
 * else the key's. */
static struct workspace *find_workspace(struct engine *engine, const struct request *request)
{
    struct registry *registry = engine_registry(engine);
    const char *prefix = request_workspace_prefix(request);
    if (prefix)
        return registry_by_slug(registry, prefix);
    struct workspace *found = find_by_project(registry, request);
    return found ? found : find_by_key(registry, request);
}

/* What it says is read once for all who wait. */
static void post_entry(struct engine *engine, struct workspace *workspace,
                       const struct journal_entry *entry)
{
    struct journal_request asked;
    struct db *db = store_reader(engine_store(engine), NULL);
    if (db && journal_request_init(&asked, entry, db, workspace->row.pk) == 0)
        events_post_about(workspace, EVENT_JOURNAL, &asked);
    else
        events_post(workspace, EVENT_JOURNAL);
    if (db)
        journal_request_finish(&asked);
}

/* Of a request whose answer nobody awaits, as a reset does not: not where that has come between.
 * NULL: of any other. */
static bool put(struct workspace *workspace, struct journal_entry *entry,
                const struct rule_subject *unawaited)
{
    const atomic_llong *resets = unawaited ? &workspace->events.resets : NULL;
    return journal_add_while(workspace->journal, entry, resets, unawaited ? unawaited->resets : 0);
}

/* False: it is not there. */
static bool add(struct engine *engine, struct workspace *workspace, struct journal_entry *entry,
                const struct rule_subject *unawaited)
{
    bool added = false;
    if (!entry)
        return false; /* without memory the request itself is more important */
    if (!workspace) {
        journal_add(engine_nobodys_journal(engine), entry);
    } else if (!events_are_waited_for(workspace)) {
        added = put(workspace, entry, unawaited);
        events_post(workspace, EVENT_JOURNAL);
    } else {
        journal_entry_hold(entry);
        added = put(workspace, entry, unawaited);
        if (added)
            post_entry(engine, workspace, entry);
        journal_entry_release(entry);
    }
    return added;
}

/* The same of what listeners are told too. */
static void add_and_tell(struct engine *engine, struct workspace *workspace,
                         struct journal_entry *entry, const struct rule_subject *unawaited)
{
    bool told = entry && workspace && workspace_has_feed(workspace);
    if (told)
        journal_entry_hold(entry);
    if (add(engine, workspace, entry, unawaited) && told)
        feed_tell_request(workspace, entry);
    if (told)
        journal_entry_release(entry);
}

/* An entry without texts. */
static struct journal_entry *outline(const struct journal_entry *entry)
{
    struct journal_entry *whole = journal_entry_create(entry);
    if (whole)
        blot_entry(whole);
    return whole;
}

/* Where nothing is written down. */
static void just_tell(struct workspace *workspace, const struct journal_entry *entry)
{
    struct journal_entry *whole =
        workspace && workspace_has_feed(workspace) ? outline(entry) : NULL;
    if (whole)
        feed_tell_request(workspace, whole);
    journal_entry_release(whole);
}

/* Whether a reset, which waits for answers, does not wait for this one, as it never comes. */
static bool is_unawaited(const struct request_end *end)
{
    return end->kind == END_HUNG || end->kind == END_LEFT;
}

/* What it was, and what it shows about its client; which is counted beside. */
static void judge(const struct control *control, const struct over *over,
                  struct workspace *workspace, struct journal_entry *entry)
{
    const struct control_options *options = &control->options;
    const struct request_end *end = over->end;
    struct tally *tally = workspace ? workspace->tally : engine_nobodys_tally(control->engine);
    entry->outcome =
        (short)outcome_of(control->outcomes, over->operation, end->status, end->body, end->len);
    uint64_t findings = lint_look(over->request, options->apis, options->api_count);
    findings |= request_note(control, over->request, end, workspace, over->operation, tally, entry);
    entry->findings = tally_find(tally, findings);
}

static void record_api(struct control *control, struct over *over)
{
    struct engine *engine = control->engine;
    struct request *request = over->request;
    struct rule_subject *subject = request_about(request);
    bool journaled = engine_nobodys_journal(engine) != NULL;
    struct workspace *found = NULL;
    struct journal_entry entry;
    if (!journaled && !feeds_exist(engine_feeds(engine)))
        return;
    if (!subject || !subject->workspace)
        found = find_workspace(engine, request);
    else if (is_unawaited(over->end) && subject->resets != events_resets(subject->workspace))
        return; /* left over from before a reset */
    else
        over->subject = subject;
    struct workspace *workspace = over->subject ? subject->workspace : found;
    over->operation = outcome_operation(control->outcomes, request_operation(request));
    describe(over, &entry);
    note_key(request, &entry);
    if (found)
        entry.at = workspace_now(found);
    if (over->subject)
        rule_subject_tell(subject); /* first, lest who is woken by the entry counts it twice */
    if (journaled) {
        judge(control, over, workspace, &entry);
        add_and_tell(engine, workspace, complete(request, over->end, &entry, workspace != NULL),
                     is_unawaited(over->end) ? over->subject : NULL);
    } else {
        just_tell(workspace, &entry);
    }
    workspace_release(found);
}

/* What writes nothing here: what anybody posts to an inbox is kept there, and must not drive out
 * what is here; and to verify is to ask. */
static bool is_read(const char *operation)
{
    return operation &&
           (strcmp(operation, "postToInbox") == 0 || strcmp(operation, "verifyRequests") == 0);
}

/* What writes through the control plane: who did what when, without what was said, which may be
 * secret. */
static void record_control(struct engine *engine, const struct over *over)
{
    struct workspace *workspace = mock_workspace(over->request);
    const char *operation = request_operation(over->request);
    struct journal_entry entry;
    if (!workspace || !workspace->journal || strcmp(request_method(over->request), "GET") == 0 ||
        is_read(operation))
        return;
    describe(over, &entry);
    entry.is_control = true;
    entry.caller = mock_caller(over->request);
    entry.clock = workspace_now(workspace);
    entry.at = mock_begun_at(over->request); /* what it has the clock bring about comes after it */
    if (entry.at > entry.clock)              /* a reset: and so does what follows that */
        entry.at = entry.clock;
    if (strcmp(entry.caller, "key") == 0)
        note_key(over->request, &entry);
    if (operation &&
        (strcmp(operation, "transitionJob") == 0 || strcmp(operation, "releaseJob") == 0))
        note_named_job(over->request, &entry);
    add(engine, workspace, outline(&entry), NULL);
}

static void record(void *context, struct request *request, const struct request_end *end)
{
    struct control *control = context;
    const struct api *api = request_api(request);
    struct over over = {.request = request, .end = end, .age = request_age_us(request)};
    metrics_count(&control->metrics, request_operation(request), end->status, over.age);
    if (api == &control->mock)
        record_control(control->engine, &over);
    else if (api != &control->api || !request_operation(request))
        record_api(control, &over);
}

struct recorder recorder_of(struct control *control)
{
    return (struct recorder){.record = record, .context = control};
}
