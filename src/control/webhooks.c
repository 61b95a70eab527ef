/* listWebhooks and getWebhook: what came of the callbacks, and waiting for it. */
#include "base/time.h"
#include "base/url.h"
#include "control/internal.h"
#include "control/list.h"
#include "control/wait.h"
#include "control/webhook_view.h"
#include "engine/delivery.h"

#include <string.h>

/* -- listWebhooks: what is asked --------------------------------------------------------------- */

struct list_query_params {
    const char *job, *host;
    struct field_whole status;
    struct list_params list;
};

#define TO(member_) .offset = offsetof(struct list_query_params, member_)

const struct param webhook_list_params[] = {
    {"job", PARAM_TEXT, "a text that is not empty", TO(job)},
    {"status", PARAM_WORD, "a delivery's status", .words = delivery_status_names, TO(status)},
    {"host", PARAM_TEXT, "a host, or a host and its port", TO(host)},
    LIST_SINCE_PARAM(struct list_query_params, list),
    LIST_LIMIT_PARAM(struct list_query_params, list),
    LIST_MIN_PARAM(struct list_query_params, list),
    LIST_WAIT_PARAM(struct list_query_params, list),
};
const size_t webhook_list_param_count = sizeof webhook_list_params / sizeof *webhook_list_params;

struct webhook_list {
    struct control_wait wait;
    struct list_query query;
    struct delivery_filter filter; /* after: the last one that was counted */
    bool by_host, by_port;
    struct url_place place; /* of these */
    int64_t found;
};

/* "example.com", "example.com:8080", "[::1]:8080", "::1". */
static bool read_host(const char *text, struct webhook_list *list)
{
    struct buf url = BUF_INIT;
    const char *bracket = strrchr(text, ']');
    bool good = !strpbrk(text, "/?#");
    list->by_port = strchr(bracket ? bracket : text, ':') != NULL;
    buf_printf(&url, "http://%s", text);
    good = good && url.data && url_read_place(url.data, &list->place);
    if (!good && list->by_port && !bracket) { /* an address of IPv6 without its brackets */
        buf_finish(&url);
        buf_printf(&url, "http://[%s]", text);
        list->by_port = false;
        good = url.data && url_read_place(url.data, &list->place);
    }
    buf_finish(&url);
    list->by_host = good;
    return good;
}

static bool fits(const struct webhook_list *list, const struct delivery_item *item)
{
    struct url_place place;
    if (!list->by_host)
        return true;
    return url_read_place(item->callback_url, &place) &&
           strcmp(place.host, list->place.host) == 0 &&
           (!list->by_port || strcmp(place.port, list->place.port) == 0);
}

/* -- listWebhooks: looking --------------------------------------------------------------------- */

struct listing {
    const struct webhook_list *list;
    struct buf body;
    int64_t count, all, max;
    int64_t last; /* seq */
};

static int count_item(const struct delivery_item *item, void *arg)
{
    struct listing *listing = arg;
    listing->count += fits(listing->list, item);
    return listing->count >= listing->max;
}

static int put_item(const struct delivery_item *item, void *arg)
{
    struct listing *listing = arg;
    if (!fits(listing->list, item))
        return 0;
    if (listing->count++)
        buf_putc(&listing->body, ',');
    webhook_put_item(&listing->body, item);
    listing->last = item->delivery.seq;
    return listing->count >= listing->max || listing->body.len >= LIST_BYTES_MAX;
}

/* The deliveries from the list's beginning on. */
static void answer_list(struct request *request, struct webhook_list *list, struct db *db,
                        struct cursor now)
{
    struct listing listing = {.list = list, .max = list->query.limit};
    struct delivery_filter filter = list->filter;
    filter.after = list->query.since.webhooks;
    filter.until = now.webhooks;
    buf_puts(&listing.body, "{\"items\":[");
    int status = delivery_each(db, mock_workspace(request)->row.pk, &filter, put_item, &listing);
    if (status < 0) {
        buf_finish(&listing.body);
        router_fail(request, status, "cannot read the deliveries");
        return;
    }
    if (status > 0) /* there may be more */
        now.webhooks = listing.last;
    if (now.webhooks < list->query.since.webhooks)
        now.webhooks = list->query.since.webhooks; /* none is left, of so many */
    list_answer(request, &listing.body, &now);
}

/* Looks whether enough are there; 1: yes. */
static int count_on(struct request *request, struct webhook_list *list, struct db *db,
                    struct cursor *ret_now)
{
    struct workspace *workspace = mock_workspace(request);
    struct listing listing = {.list = list, .max = list->query.min - list->found};
    *ret_now = cursor_now(workspace);
    int status = cursor_complete(workspace, db, ret_now);
    list->filter.until = ret_now->webhooks;
    if (status == 0 && listing.max > 0)
        status = delivery_each(db, workspace->row.pk, &list->filter, count_item, &listing);
    if (status < 0 || listing.count >= listing.max)
        return status < 0 ? status : 1;
    /* Where a delivery goes never changes, so that those that were counted need not be looked at
       again; its status does. */
    if (list->filter.status < 0) {
        if (list->filter.after < ret_now->webhooks)
            list->filter.after = ret_now->webhooks;
        list->found += listing.count;
    }
    return 0;
}

static enum wait_look look_at_list(struct request *request, struct control_wait *self)
{
    struct webhook_list *list = (struct webhook_list *)self;
    struct cursor now;
    struct db *db = control_reader(request);
    if (!db)
        return LOOK_ANSWERED;
    int status = count_on(request, list, db, &now);
    if (status == 0)
        return LOOK_NOT_YET;
    if (status < 0)
        router_fail(request, status, "cannot read the deliveries");
    else
        answer_list(request, list, db, now);
    return LOOK_ANSWERED;
}

static int count_all(const struct delivery_item *item, void *arg)
{
    struct listing *listing = arg;
    const struct delivery_filter *filter = &listing->list->filter;
    listing->all++;
    listing->count += (filter->status < 0 || filter->status == (int)item->delivery.status) &&
                      (!filter->job || strcmp(filter->job, item->delivery.job_id) == 0) &&
                      fits(listing->list, item);
    return 0;
}

static void tell_list(struct request *request, struct control_wait *self, struct buf *detail,
                      struct buf *hint)
{
    struct webhook_list *list = (struct webhook_list *)self;
    struct db *db = store_reader(engine_store(control_of(request)->engine), NULL);
    struct listing listing = {.list = list};
    struct delivery_filter any = {
        .after = list->query.since.webhooks, .until = INT64_MAX, .status = -1};
    if (!db || delivery_each(db, mock_workspace(request)->row.pk, &any, count_all, &listing) < 0) {
        buf_puts(detail, "The deliveries cannot be read");
        return;
    }
    buf_printf(
        detail,
        "%lld of the %lld deliveries that were asked for are there; %lld others do not fit; ",
        (long long)listing.count, (long long)list->query.min,
        (long long)(listing.all - listing.count));
    wait_tell_clock(request, detail);
    buf_puts(hint, "A job that was made with a callback_url owes a delivery when it ends");
}

/* -- listWebhooks: the handler ----------------------------------------------------------------- */

static bool read_list(struct request *request, struct webhook_list *list)
{
    struct list_query_params params = {.list = {0}};
    if (!params_read(request, &params) || !list_read(request, &params.list, &list->query))
        return false;
    if (params.host && !read_host(params.host, list)) {
        control_problem(request, 422, "invalid_parameter",
                        "host must be a host, or a host and its port",
                        "That of the callback_url: hooks.acme.com or hooks.acme.com:8080");
        return false;
    }
    list->filter =
        (struct delivery_filter){.after = list->query.since.webhooks,
                                 .status = params.status.given ? (int)params.status.value : -1,
                                 .job = params.job};
    return true;
}

void webhook_list_handler(struct request *request)
{
    struct webhook_list *list = control_wait_state(request, sizeof *list);
    if (!list || !read_list(request, list))
        return;
    list->wait.kinds = EVENT_JOB | EVENT_DELIVERY; /* a job's end makes deliveries */
    list->wait.ms = list->query.wait;
    list->wait.look = look_at_list;
    list->wait.tell = tell_list;
    control_wait(request);
}

/* -- getWebhook -------------------------------------------------------------------------------- */

/* Statuses in their order, and any that ends it. */
static const char *const goals[] = {"pending", "held",    "retrying", "delivered", "exhausted",
                                    "gone",    "blocked", "dropped",  "ended",     NULL};
enum { GOAL_ENDED = DELIVERY_STATUSES };

static const char *const no_or_yes[] = {"false", "true", NULL};

struct get_params {
    struct field_whole reveal, status, wait;
};

const struct param webhook_get_params[] = {
    {"reveal", PARAM_WORD, "true or false", .words = no_or_yes,
     .offset = offsetof(struct get_params, reveal)},
    {"status", PARAM_WORD, "what the delivery is to be", .words = goals,
     .offset = offsetof(struct get_params, status)},
    WAIT_PARAM(struct get_params, wait),
};
const size_t webhook_get_param_count = sizeof webhook_get_params / sizeof *webhook_get_params;

struct webhook_watch {
    struct control_wait wait;
    bool reveal;
    int goal; /* -1: none */
};

#define IS(status_) (1U << DELIVERY_##status_)

static bool is_so(const struct delivery *delivery, int goal)
{
    return goal < 0 || (int)delivery->status == goal ||
           (goal == GOAL_ENDED && delivery_has_ended(delivery->status));
}

/* Whether it may yet become so: by itself, by a release, or by the attempt that is under way. */
static bool may_become(const struct delivery *delivery, int goal)
{
    static const unsigned ends = IS(DELIVERED) | IS(EXHAUSTED) | IS(GONE) | IS(BLOCKED);
    static const unsigned next[DELIVERY_STATUSES] = {
        [DELIVERY_PENDING] = IS(RETRYING) | ends,
        [DELIVERY_HELD] = IS(PENDING) | IS(RETRYING) | ends,
        [DELIVERY_RETRYING] = ends,
    };
    unsigned may = next[delivery->status] | (delivery->sending ? IS(DELIVERED) : 0U);
    return goal == GOAL_ENDED || (may & 1U << goal);
}

static enum wait_look look_at_delivery(struct request *request, struct control_wait *self)
{
    const struct webhook_watch *watch = (struct webhook_watch *)self;
    struct delivery delivery;
    struct db *db = control_reader(request);
    if (!db)
        return LOOK_ANSWERED;
    int status =
        delivery_by_id(db, mock_workspace(request)->row.pk, request_param(request, 0), &delivery);
    if (status == ERR_NOT_FOUND && control_wait_is_open(self))
        return LOOK_NOT_YET;
    if (status == ERR_NOT_FOUND)
        webhook_refuse(request);
    else if (status < 0)
        router_fail(request, status, "cannot read a delivery");
    else if (is_so(&delivery, watch->goal))
        webhook_answer(request, &delivery, watch->reveal);
    else
        return may_become(&delivery, watch->goal) ? LOOK_NOT_YET : LOOK_NEVER;
    return LOOK_ANSWERED;
}

static void tell_why(struct request *request, const struct delivery *delivery, struct buf *detail,
                     struct buf *hint)
{
    if (delivery->sending) {
        buf_puts(detail, ", and an attempt is under way");
    } else if (delivery_has_ended(delivery->status)) {
        char at[TIME_TEXT_SIZE];
        time_format_millis(delivery->ended_at, at);
        buf_printf(detail, " since %s", at);
        buf_puts(hint, "POST /_mock/webhooks/{id}/redeliver makes another attempt");
    } else if (delivery->status == DELIVERY_HELD) {
        buf_printf(detail, ": POST /_mock/webhooks/%s/release", delivery->id);
    } else {
        buf_puts(detail, "; ");
        wait_tell_clock(request, detail);
        buf_puts(hint, "POST /_mock/webhooks/{id}/redeliver makes an attempt at once");
    }
}

struct telling {
    struct request *request;
    struct buf *detail, *hint;
};

static int tell_item(const struct delivery_item *item, void *arg)
{
    struct telling *telling = arg;
    buf_printf(telling->detail, "The delivery is %s", delivery_status_names[item->delivery.status]);
    tell_why(telling->request, &item->delivery, telling->detail, telling->hint);
    if (item->last_error)
        buf_printf(telling->detail, "; attempt %lld: %s", (long long)item->delivery.attempts,
                   item->last_error);
    return 1;
}

static void tell_delivery(struct request *request, struct control_wait *self, struct buf *detail,
                          struct buf *hint)
{
    struct db *db = store_reader(engine_store(control_of(request)->engine), NULL);
    struct telling telling = {request, detail, hint};
    struct delivery_filter filter = {
        .until = INT64_MAX, .status = -1, .id = request_param(request, 0)};
    (void)self;
    if (!db ||
        delivery_each(db, mock_workspace(request)->row.pk, &filter, tell_item, &telling) <= 0)
        buf_puts(detail, "The delivery cannot be read");
}

void webhook_get_handler(struct request *request)
{
    struct get_params params = {.wait = {0}};
    struct webhook_watch *watch = control_wait_state(request, sizeof *watch);
    if (!watch || !params_read(request, &params))
        return;
    if (params.wait.given && !params.status.given) {
        control_problem(request, 422, "missing_parameter", "wait needs status",
                        "Say what is waited for: status=ended");
        return;
    }
    watch->reveal = params.reveal.value == 1;
    watch->goal = params.status.given ? (int)params.status.value : -1;
    watch->wait.kinds = EVENT_DELIVERY;
    watch->wait.ms = params.wait.value;
    watch->wait.look = look_at_delivery;
    watch->wait.tell = tell_delivery;
    control_wait(request);
}
