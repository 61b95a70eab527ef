/*
 * Inboxes without a server: what their names and replies may be (C2), in which order replies are
 * given, and that a workspace keeps so much and no more, oldest first.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/inbox.h"
#include "support.h"

static struct db *db;
static struct workspace one, two;

static void begin(void)
{
    db = support_new_db();
    one = (struct workspace){.row.pk = support_workspace(db, "one")};
    two = (struct workspace){.row.pk = support_workspace(db, "two")};
}

static void end(void)
{
    db_close(db);
}

/* -- names and replies, read ------------------------------------------------------------------- */

START_TEST(names)
{
    static const char *const right[] = {"a", "orders", "A.b_c~d-9", "..", NULL};
    static const char *const wrong[] = {"", "a b", "a/b", "a%20b", "caf\xc3\xa9", "a\n", NULL};
    char name[INBOX_NAME_SIZE + 1];
    for (const char *const *at = right; *at; at++)
        ck_assert_msg(inbox_name_is_right(*at), "%s", *at);
    for (const char *const *at = wrong; *at; at++)
        ck_assert_msg(!inbox_name_is_right(*at), "%s", *at);
    memset(name, 'n', sizeof name);
    name[INBOX_NAME_SIZE - 1] = '\0';
    ck_assert(inbox_name_is_right(name));
    name[INBOX_NAME_SIZE - 1] = 'n';
    name[INBOX_NAME_SIZE] = '\0';
    ck_assert(!inbox_name_is_right(name));
}
END_TEST

static json_t *json(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
    ck_assert_msg(value != NULL, "%s: %s", text, error.text);
    return value;
}

static const struct {
    const char *replies, *name, *detail, *hint;
} wrongs[] = {
    {"{}", "invalid_body", "The body must be an array of at most 100 replies, as JSON objects",
     NULL},
    {"[7]", "invalid_field", "[0] must be an object", NULL},
    {"[{}]", "missing_field", "[0].status is required", NULL},
    {"[{\"status\":200},{\"stauts\":200}]", "unknown_field", "There is no field [1].\"stauts\"",
     "did you mean \"status\"?"},
    {"[{\"status\":199}]", "invalid_field", "[0].status must be a whole number from 200 to 599",
     NULL},
    {"[{\"status\":600}]", "invalid_field", "[0].status must be a whole number from 200 to 599",
     NULL},
    {"[{\"status\":\"500\"}]", "invalid_field", "[0].status must be a whole number from 200 to 599",
     NULL},
    {"[{\"status\":200,\"times\":0}]", "invalid_field",
     "[0].times must be a whole number from 1 to 1000000000", NULL},
    {"[{\"status\":200,\"delay\":5}]", "invalid_field",
     "[0].delay must be a duration with its unit, at most \"5m\"", NULL},
    {"[{\"status\":200,\"delay\":\"5\"}]", "invalid_field",
     "[0].delay must be a duration with its unit, at most \"5m\"",
     "\"5\" has no unit: write 5ms, 5s, 5m or 5h"},
    {"[{\"status\":200,\"delay\":\"6m\"}]", "invalid_field",
     "[0].delay must be a duration with its unit, at most \"5m\"", NULL},
    {"[{\"status\":204,\"body\":1}]", "invalid_field",
     "[0].body cannot go with a status that has none", NULL},
    {"[{\"status\":200,\"headers\":{\"Content-Length\":\"1\"}}]", "invalid_field",
     "[0].headers must be an object of at most 15 headers, of texts that may be sent, without "
     "Content-Length, Date and those of the connection, as Transfer-Encoding",
     NULL},
};

START_TEST(complains)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct inbox_replies replies;
    json_t *value = json(wrongs[_i].replies);
    ck_assert_int_eq(inbox_replies_read(value, &complaint, &replies), ERR_INVALID);
    ck_assert_str_eq(complaint.name, wrongs[_i].name);
    ck_assert_str_eq(complaint.detail.data, wrongs[_i].detail);
    if (wrongs[_i].hint)
        ck_assert_str_eq(complaint.hint.data, wrongs[_i].hint);
    else
        ck_assert_ptr_null(complaint.hint.data);
    inbox_replies_finish(&replies);
    complaint_finish(&complaint);
    json_decref(value);
}
END_TEST

/* So many replies, each with a body of so many bytes. */
static int read_many(size_t count, size_t bytes)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct inbox_replies replies;
    json_t *array = json_array();
    char *text = malloc(bytes + 1);
    memset(text, 'x', bytes);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            array, json_pack("{siso}", "status", 200, "body", json_stringn(text, bytes)));
    int status = inbox_replies_read(array, &complaint, &replies);
    inbox_replies_finish(&replies);
    complaint_finish(&complaint);
    json_decref(array);
    free(text);
    return status;
}

START_TEST(replies_are_bounded)
{
    enum { FRAME = sizeof "{\"body\":\"\"}" - 1 };
    ck_assert_int_eq(read_many(INBOX_REPLIES_MAX, 1), 0);
    ck_assert_int_eq(read_many(INBOX_REPLIES_MAX + 1, 1), ERR_INVALID);
    ck_assert_int_eq(read_many(1, INBOX_REPLIES_BYTES_MAX - FRAME), 0);
    ck_assert_int_eq(read_many(1, INBOX_REPLIES_BYTES_MAX - FRAME + 1), ERR_INVALID);
}
END_TEST

/* -- replies, given ---------------------------------------------------------------------------- */

static void tell(struct workspace *workspace, const char *name, const char *text)
{
    struct complaint complaint = COMPLAINT_INIT;
    json_t *value = json(text);
    struct inbox_telling telling = {.name = name};
    ck_assert_int_eq(inbox_replies_read(value, &complaint, &telling.replies), 0);
    inbox_telling_init(&telling, NULL, workspace);
    ck_assert_int_eq(telling.operation.run(&telling.operation.write, db), 0);
    ck_assert(!telling.too_many);
    inbox_replies_finish(&telling.replies);
    json_decref(value);
}

static int put_reply(const struct inbox_reply_row *row, void *arg)
{
    inbox_reply_put_json(arg, row);
    return 0;
}

static void assert_left(const char *name, const char *wanted)
{
    struct inbox inbox;
    struct buf text = BUF_INIT;
    ck_assert_int_eq(inbox_find(db, one.row.pk, name, &inbox), 0);
    buf_puts(&text, "");
    ck_assert_int_eq(inbox_reply_each(db, inbox.seq, put_reply, &text), 0);
    ck_assert_str_eq(text.data ? text.data : "", wanted);
    buf_finish(&text);
}

/* Puts a message of so many bytes; its reply is the caller's to finish. */
static struct inbox_message put(struct workspace *workspace, const char *name, size_t bytes,
                                struct inbox_reply *reply)
{
    char *body = calloc(1, bytes + 1);
    struct inbox_message message = {
        .method = "POST", .url = "/", .headers = "{}", .body = body, .body_len = bytes};
    *reply = (struct inbox_reply){.status = 0};
    ck_assert_int_eq(inbox_put_in(db, workspace, name, &message, reply), 0);
    ck_assert_int_eq(message.reply, reply->status);
    free(body);
    return message;
}

static int answer(struct workspace *workspace, const char *name)
{
    struct inbox_reply reply;
    put(workspace, name, 1, &reply);
    inbox_reply_finish(&reply);
    return reply.status;
}

START_TEST(usual_answer)
{
    struct inbox_reply reply;
    put(&one, "a", 1, &reply);
    ck_assert_int_eq(reply.status, 200);
    ck_assert_int_eq(reply.delay, 0);
    ck_assert_str_eq(reply.body.data, "{}");
    ck_assert_uint_eq(reply.headers.count, 1);
    ck_assert_str_eq(reply.headers.items[0].value, "application/json; charset=utf-8");
    inbox_reply_finish(&reply);
}
END_TEST

/* As often as it says, else once, and the last one from then on; each inbox for itself. */
START_TEST(replies_in_order)
{
    tell(&one, "a", "[{\"status\":500,\"times\":2},{\"status\":503},{\"status\":202}]");
    assert_left("a", "{\"status\":500,\"times\":2}{\"status\":503,\"times\":1}{\"status\":202}");
    ck_assert_int_eq(answer(&one, "b"), 200);
    ck_assert_int_eq(answer(&two, "a"), 200);
    ck_assert_int_eq(answer(&one, "a"), 500);
    assert_left("a", "{\"status\":500,\"times\":1}{\"status\":503,\"times\":1}{\"status\":202}");
    ck_assert_int_eq(answer(&one, "a"), 500);
    ck_assert_int_eq(answer(&one, "a"), 503);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(answer(&one, "a"), 202);
    assert_left("a", "{\"status\":202}");
    tell(&one, "a", "[{\"status\":410,\"times\":1}]");
    ck_assert_int_eq(answer(&one, "a"), 410);
    ck_assert_int_eq(answer(&one, "a"), 200);
    tell(&one, "a", "[]");
    assert_left("a", "");
}
END_TEST

START_TEST(reply_is_whole)
{
    struct inbox_reply reply;
    tell(&one, "a",
         "[{\"status\":418,\"delay\":\"2s\",\"headers\":{\"X-A\":\"b\",\"Content-Type\":"
         "\"text/plain\"},\"body\":\"tea\"}]");
    put(&one, "a", 1, &reply);
    ck_assert_int_eq(reply.status, 418);
    ck_assert_int_eq(reply.delay, 2000);
    ck_assert_uint_eq(reply.headers.count, 2);
    ck_assert_str_eq(reply.headers.items[0].name, "X-A");
    ck_assert_str_eq(reply.headers.items[0].value, "b");
    ck_assert_str_eq(reply.body.data, "tea");
    inbox_reply_finish(&reply);
    tell(&one, "a", "[{\"status\":200,\"body\":\"tea\"}]");
    put(&one, "a", 1, &reply);
    ck_assert_str_eq(reply.body.data, "\"tea\"");
    inbox_reply_finish(&reply);
    tell(&one, "a", "[{\"status\":204}]");
    put(&one, "a", 1, &reply);
    ck_assert_uint_eq(reply.body.len, 0);
    ck_assert_uint_eq(reply.headers.count, 0);
    inbox_reply_finish(&reply);
}
END_TEST

/* A run that is rolled back uses up nothing, and what it gave does not leak. */
START_TEST(rolled_back)
{
    struct inbox_put self = {
        .name = "a",
        .message = {.method = "POST", .url = "/", .headers = "{}", .body = "x", .body_len = 1}};
    tell(&one, "a", "[{\"status\":500,\"times\":1,\"body\":{\"a\":1}}]");
    inbox_put_init(&self, NULL, &one);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(db_begin(db), 0);
        ck_assert_int_eq(self.operation.run(&self.operation.write, db), 0);
        ck_assert_int_eq(self.reply.status, 500);
        ck_assert_str_eq(self.reply.body.data, "{\"a\":1}");
        ck_assert_int_eq(self.message.number, 1);
        db_rollback(db);
    }
    inbox_reply_finish(&self.reply);
    ck_assert_int_eq(answer(&one, "a"), 500);
}
END_TEST

START_TEST(inboxes_with_replies_are_bounded)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct inbox_telling telling = {.name = "more"};
    json_t *value = json("[{\"status\":500}]");
    char name[16];
    for (int i = 0; i < INBOX_ANSWERING_MAX; i++) {
        snprintf(name, sizeof name, "n%d", i);
        tell(&one, name, "[{\"status\":500}]");
    }
    tell(&one, "n7", "[{\"status\":501}]"); /* has some already */
    ck_assert_int_eq(inbox_replies_read(value, &complaint, &telling.replies), 0);
    inbox_telling_init(&telling, NULL, &one);
    ck_assert_int_eq(telling.operation.run(&telling.operation.write, db), 0);
    ck_assert(telling.too_many);
    ck_assert_int_eq(answer(&one, "more"), 200);
    tell(&one, "n7", "[]");
    ck_assert_int_eq(telling.operation.run(&telling.operation.write, db), 0);
    ck_assert(!telling.too_many);
    inbox_replies_finish(&telling.replies);
    json_decref(value);
}
END_TEST

/* -- bounds ------------------------------------------------------------------------------------ */

static struct inbox look(struct workspace *workspace, const char *name)
{
    struct inbox inbox;
    ck_assert_int_eq(inbox_find(db, workspace->row.pk, name, &inbox), 0);
    return inbox;
}

static int64_t oldest_number(const char *name)
{
    return support_integer(db, "SELECT min(number) FROM inbox_message WHERE inbox = %lld",
                           (long long)look(&one, name).seq);
}

/* What the totals say is what is there. */
static void assert_counted(void)
{
    ck_assert_int_eq(support_integer(db,
                                     "SELECT count(*) FROM inbox_total WHERE workspace = %lld"
                                     " AND messages = (SELECT count(*) FROM inbox_message WHERE"
                                     " workspace = %lld) AND bytes = (SELECT"
                                     " coalesce(sum(bytes), 0) FROM inbox_message"
                                     " WHERE workspace = %lld) AND names = (SELECT count(*)"
                                     " FROM inbox WHERE workspace = %lld)",
                                     (long long)one.row.pk, (long long)one.row.pk,
                                     (long long)one.row.pk, (long long)one.row.pk),
                     1);
}

static void put_many(struct workspace *workspace, const char *name, int count, size_t bytes)
{
    struct inbox_reply reply;
    ck_assert_int_eq(db_begin(db), 0);
    for (int i = 0; i < count; i++) {
        put(workspace, name, bytes, &reply);
        inbox_reply_finish(&reply);
    }
    ck_assert_int_eq(db_commit(db), 0);
}

START_TEST(messages_are_bounded)
{
    put_many(&one, "old", 10, 1);
    put_many(&two, "old", 1, 1);
    put_many(&one, "new", INBOX_MESSAGES_MAX - 10, 1);
    ck_assert_int_eq(look(&one, "old").dropped, 0);
    put_many(&one, "new", 3, 1);
    ck_assert_int_eq(look(&one, "old").dropped, 3);
    ck_assert_int_eq(look(&one, "old").messages, 7);
    ck_assert_int_eq(oldest_number("old"), 4);
    put_many(&one, "new", 8, 1);
    ck_assert_int_eq(look(&one, "old").dropped, 10);
    ck_assert_int_eq(look(&one, "old").received, 10);
    ck_assert_int_eq(look(&one, "new").dropped, 1);
    ck_assert_int_eq(look(&one, "new").messages, INBOX_MESSAGES_MAX);
    ck_assert_int_eq(look(&two, "old").dropped, 0);
    assert_counted();
}
END_TEST

START_TEST(bytes_are_bounded)
{
    enum { LARGE = 1024 * 1024, FIT = INBOX_BYTES_MAX / LARGE - 1 };
    put_many(&one, "a", FIT, LARGE);
    ck_assert_int_eq(look(&one, "a").dropped, 0);
    put_many(&one, "a", 1, LARGE); /* with what a row takes besides, it is too much */
    ck_assert_int_eq(look(&one, "a").dropped, 1);
    assert_counted();
    put_many(&one, "b", 1, INBOX_BYTES_MAX); /* alone it may be too large */
    ck_assert_int_eq(look(&one, "a").messages, 0);
    ck_assert_int_eq(look(&one, "b").messages, 1);
    put_many(&one, "b", 1, 1);
    ck_assert_int_eq(look(&one, "b").messages, 1);
    ck_assert_int_eq(look(&one, "b").dropped, 1);
    assert_counted();
}
END_TEST

/* Names that have neither messages nor replies any more make room for new ones. */
START_TEST(names_are_bounded)
{
    struct inbox inbox;
    struct inbox_reply reply;
    char name[16];
    tell(&one, "told", "[{\"status\":500}]");
    ck_assert_int_eq(db_begin(db), 0);
    for (int i = 0; i < INBOX_NAMES_MAX; i++) {
        snprintf(name, sizeof name, "n%d", i);
        put(&one, name, 1, &reply);
        inbox_reply_finish(&reply);
    }
    ck_assert_int_eq(db_commit(db), 0);
    ck_assert_int_eq(inbox_find(db, one.row.pk, "n0", &inbox), ERR_NOT_FOUND);
    ck_assert_int_eq(answer(&one, "told"), 500);
    ck_assert_int_eq(look(&one, name).messages, 1);
    ck_assert_int_le(support_integer(db, "SELECT names FROM inbox_total WHERE workspace = %lld",
                                     (long long)one.row.pk),
                     INBOX_NAMES_MAX);
    assert_counted();
}
END_TEST

/* -- emptying, and the end --------------------------------------------------------------------- */

START_TEST(empties)
{
    struct inbox_emptying emptying = {.name = "a"};
    int64_t last = 0;
    put_many(&one, "a", 3, 10);
    put_many(&one, "b", 2, 10);
    put_many(&two, "a", 1, 10);
    tell(&one, "a", "[{\"status\":500}]");
    inbox_emptying_init(&emptying, NULL, &one);
    ck_assert_int_eq(emptying.operation.run(&emptying.operation.write, db), 0);
    ck_assert_int_eq(emptying.deleted, 3);
    ck_assert_int_eq(emptying.operation.run(&emptying.operation.write, db), 0);
    ck_assert_int_eq(emptying.deleted, 0);
    assert_counted();
    ck_assert_int_eq(look(&one, "b").messages, 2);
    ck_assert_int_eq(look(&two, "a").messages, 1);
    ck_assert_int_eq(answer(&one, "a"), 500);
    ck_assert_int_eq(oldest_number("a"), 4);
    ck_assert_int_eq(inbox_last(db, one.row.pk, &last), 0);
    ck_assert_int_eq(last, support_integer(db, "SELECT max(seq) FROM inbox_message"));
    emptying.name = "never";
    ck_assert_int_eq(emptying.operation.run(&emptying.operation.write, db), 0);
    ck_assert_int_eq(emptying.deleted, 0);
}
END_TEST

START_TEST(goes_with_its_workspace)
{
    bool more = true;
    put_many(&one, "a", 600, 10);
    put_many(&two, "a", 1, 10);
    tell(&one, "a", "[{\"status\":500}]");
    ck_assert_int_eq(inbox_clear(db, two.row.pk), 0);
    ck_assert_int_eq(inbox_find(db, two.row.pk, "a", &(struct inbox){0}), ERR_NOT_FOUND);
    ck_assert_int_eq(look(&one, "a").messages, 600);
    ck_assert_int_eq(workspace_bury(db, one.row.pk), 0);
    for (int i = 0; more && i < 100; i++)
        ck_assert_int_eq(workspace_purge(db, &more), 0);
    ck_assert(!more);
    ck_assert_int_eq(support_integer(db, "SELECT (SELECT count(*) FROM inbox)"
                                         " + (SELECT count(*) FROM inbox_message)"
                                         " + (SELECT count(*) FROM inbox_reply)"),
                     0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inbox");
    TCase *reading = tcase_create("C2"), *given = tcase_create("replies");
    TCase *bounds = tcase_create("bounds"), *ends = tcase_create("ends");
    tcase_add_test(reading, names);
    tcase_add_loop_test(reading, complains, 0, COUNT(wrongs));
    tcase_add_test(reading, replies_are_bounded);
    tcase_add_checked_fixture(given, begin, end);
    tcase_add_test(given, usual_answer);
    tcase_add_test(given, replies_in_order);
    tcase_add_test(given, reply_is_whole);
    tcase_add_test(given, rolled_back);
    tcase_add_test(given, inboxes_with_replies_are_bounded);
    tcase_add_checked_fixture(bounds, begin, end);
    tcase_add_test(bounds, messages_are_bounded);
    tcase_add_test(bounds, bytes_are_bounded);
    tcase_add_test(bounds, names_are_bounded);
    tcase_add_checked_fixture(ends, begin, end);
    tcase_add_test(ends, empties);
    tcase_add_test(ends, goes_with_its_workspace);
    suite_add_tcase(suite, reading);
    suite_add_tcase(suite, given);
    suite_add_tcase(suite, bounds);
    suite_add_tcase(suite, ends);
    return support_run(suite);
}
