/* A rule's `do`: what becomes of a job's callback. */
#include "engine/rule_place.h"

#include "base/json.h"
#include "engine/webhook.h"

#include <string.h>

struct webhook_body {
    struct field_whole duplicate, delay, truncate;
    struct field_bool drop, hold;
    struct field_text send;
    const json_t *body;
};

static bool check_duplicate(const json_t *value)
{
    double number = json_number_value(value);
    return number >= 2 && number <= WEBHOOK_DUPLICATE_MAX;
}

static bool check_truncate(const json_t *value)
{
    return json_number_value(value) >= 0 && json_number_value(value) <= INT32_MAX;
}

static bool check_true(const json_t *value)
{
    return json_is_true(value);
}

#define TO(member_) .offset = offsetof(struct webhook_body, member_)

static const struct field webhook_fields[] = {
    {"duplicate", FIELD_WHOLE, .what = "a whole number of deliveries in all, from 2 to 100",
     .check = check_duplicate, TO(duplicate)},
    {"delay", FIELD_DURATION, .what = "a duration with its unit, as \"10m\"", TO(delay)},
    {"drop", FIELD_BOOL, .what = "true", .check = check_true, TO(drop)},
    {"hold", FIELD_BOOL, .what = "true", .check = check_true, TO(hold)},
    {"send", FIELD_STRING, .what = "before_answer", TO(send)},
    {"truncate", FIELD_WHOLE, .what = "a whole number of bytes, from 0", .check = check_truncate,
     TO(truncate)},
    {"body", FIELD_ANY, .nullable = true, .what = "any JSON value", TO(body)},
};
enum { WEBHOOK_FIELDS = sizeof webhook_fields / sizeof *webhook_fields };

static int count_given(const struct webhook_body *body)
{
    return body->duplicate.given + body->delay.given + body->truncate.given + body->drop.given +
           body->hold.given + (body->send.data != NULL) + (body->body != NULL);
}

/* What cannot be together: a callback that is never sent or waits for somebody has no time. */
static int check_together(const struct webhook_body *body, const struct rule_place *place)
{
    static const char *const sends[] = {"before_answer", NULL};
    if (body->send.data && rule_choose(place, "send", body->send.data, "before_answer", sends) < 0)
        return ERR_INVALID;
    if (body->drop.given && count_given(body) > 1)
        return rule_refuse(place, "drop", "goes with nothing else");
    if (body->hold.given && body->delay.given)
        return rule_refuse(place, "hold", "and delay exclude each other");
    if (body->hold.given && body->send.data)
        return rule_refuse(place, "hold", "and send exclude each other");
    if (body->delay.given && body->send.data)
        return rule_refuse(place, "delay", "and send exclude each other");
    return 0;
}

int webhook_take(const struct rule_place *above, const json_t *object, struct webhook *ret_webhook)
{
    struct webhook_body body = {.body = NULL};
    char path[RULE_PATH_SIZE];
    rule_path(above, "webhook", ".", path);
    struct rule_place place = {above->complaint, path};
    int status =
        complain_read(above->complaint, path, object, webhook_fields, WEBHOOK_FIELDS, &body);
    if (status == 0 && !count_given(&body))
        return rule_refuse(above, "webhook",
                           "must have at least one of duplicate, delay, drop, hold, send, "
                           "truncate, body");
    if (status == 0)
        status = check_together(&body, &place);
    if (status < 0)
        return status;
    *ret_webhook = (struct webhook){.duplicate = body.duplicate.given ? body.duplicate.value : 1,
                                    .delay = body.delay.value,
                                    .drop = body.drop.given,
                                    .hold = body.hold.given,
                                    .before_answer = body.send.data != NULL,
                                    .truncate = body.truncate.given ? body.truncate.value : -1,
                                    .body = body.body};
    return 0;
}

int webhook_load(const char *text, json_t **ret_document, struct webhook *ret_webhook)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct rule_place place = {&complaint, ""};
    json_t *document = json_read_text(text, 0);
    int status = document ? webhook_take(&place, document, ret_webhook) : ERR_CORRUPT;
    complaint_finish(&complaint);
    if (status < 0) {
        json_decref(document);
        return status == ERR_INVALID ? ERR_CORRUPT : status;
    }
    *ret_document = document;
    return 0;
}
