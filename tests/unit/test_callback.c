/* What settings say of callbacks, as those who deliver them read it: S25, and where a URL goes. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "engine/callback.h"
#include "engine/settings.h"
#include "support.h"

static struct settings_row row;

/* Settings as a PATCH would make them; quotes are apostrophes here. */
static void set(const char *text)
{
    char copy[4096];
    struct settings_change change = {.sets_jitter = false};
    struct complaint complaint = COMPLAINT_INIT;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *c = copy; *c; c++)
        *c = (char)(*c == '\'' ? '"' : *c);
    json_t *object = json_loads(copy, 0, NULL);
    ck_assert_msg(object && settings_take(object, "", &change, &complaint) == 0, "%s: %s", text,
                  complaint.detail.data);
    settings_change(&change, &row);
    json_decref(object);
}

static void start(void)
{
    memset(&row, 0, sizeof row);
}

START_TEST(times)
{
    ck_assert_int_eq(callback_timeout(&row), 15000);
    ck_assert_int_eq(callback_connect_timeout(&row), 5000);
    set("{'callback_timeout':'250ms','callback_connect_timeout':'1s'}");
    ck_assert_int_eq(callback_timeout(&row), 250);
    ck_assert_int_eq(callback_connect_timeout(&row), 1000);
}
END_TEST

START_TEST(ends)
{
    ck_assert(callback_is_on(&row, JOB_COMPLETED) && callback_is_on(&row, JOB_FAILED) &&
              callback_is_on(&row, JOB_CANCELLED));
    set("{'callback_on':['failed','failed']}");
    ck_assert(!callback_is_on(&row, JOB_COMPLETED) && callback_is_on(&row, JOB_FAILED) &&
              !callback_is_on(&row, JOB_CANCELLED));
    set("{'callback_on':[]}");
    ck_assert(!callback_is_on(&row, JOB_COMPLETED) && !callback_is_on(&row, JOB_FAILED) &&
              !callback_is_on(&row, JOB_CANCELLED));
}
END_TEST

/* Every wait that follows a try, until none does. */
static const char *schedule(bool *ret_varies)
{
    static char text[400];
    int64_t ms;
    size_t len = 0;
    *text = '\0';
    *ret_varies = false;
    for (int64_t tries = 1; callback_retry(&row, tries, &ms, ret_varies); tries++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%lld ", (long long)ms / 1000);
    return text;
}

START_TEST(retries)
{
    bool varies;
    int64_t ms;
    ck_assert_str_eq(schedule(&varies), "");
    set("{'callback_retries':['5s','90s','0ms','2h']}");
    ck_assert_str_eq(schedule(&varies), "5 90 0 7200 ");
    ck_assert(!varies);
    ck_assert(!callback_retry(&row, 0, &ms, &varies));
    ck_assert(!callback_retry(&row, INT64_MAX, &ms, &varies));
    set("{'callback_retries':'standard'}");
    ck_assert_str_eq(schedule(&varies), "5 300 1800 7200 18000 36000 36000 ");
    ck_assert(varies);
    set("{'callback_retries':[]}");
    ck_assert_str_eq(schedule(&varies), "");
}
END_TEST

/* The longest texts that durations have fit, twenty of them. */
START_TEST(longest_retries)
{
    char text[1000] = "{'callback_retries':[";
    int64_t ms;
    bool varies;
    for (int i = 0; i < 20; i++)
        strcat(text, i ? ",'3155759999999ms'" : "'3155759999999ms'");
    strcat(text, "]}");
    set(text);
    ck_assert(callback_retry(&row, 20, &ms, &varies));
    ck_assert_int_eq(ms, INT64_C(3155759999999));
    ck_assert(!callback_retry(&row, 21, &ms, &varies));
}
END_TEST

#define MAP                                                                                        \
    "{'callback_map':{'https://hooks.acme.com':'http://127.0.0.1:4000',"                           \
    "'https://hooks.acme.com/v2':'http://127.0.0.1:5000/two/',"                                    \
    "'https://hooks.acme.com/v2/deep/':'http://127.0.0.1:6000',"                                   \
    "'http://built.test/in/':'http://inbox.test/in/','http://open.test':'http://inbox.test',"      \
    "'http://other.test:81':'http://[::1]:7000/'}}"

static const struct {
    const char *url, *goes; /* NULL: as it is */
} mapped[] = {
    {"https://hooks.acme.com", "http://127.0.0.1:4000"},
    {"https://hooks.acme.com/", "http://127.0.0.1:4000/"},
    {"https://hooks.acme.com/a/b?c=d#e", "http://127.0.0.1:4000/a/b?c=d#e"},
    {"https://hooks.acme.com?c", "http://127.0.0.1:4000?c"},
    {"https://hooks.acme.com#e", "http://127.0.0.1:4000#e"},
    {"HTTPS://Hooks.ACME.com/A", "http://127.0.0.1:4000/A"},
    {"https://hooks.acme.com.evil", NULL},
    {"https://hooks.acme.com.evil/x", NULL},
    {"https://hooks.acme.comx", NULL},
    {"https://hooks.acme.com:8443/x", NULL},
    {"https://hooks.acme.co", NULL},
    {"http://hooks.acme.com/x", NULL},
    {"https://a.hooks.acme.com/x", NULL},
    {"https://hooks.acme.com/v2", "http://127.0.0.1:5000/two/"},
    {"https://hooks.acme.com/v2/x", "http://127.0.0.1:5000/two/x"},
    {"https://hooks.acme.com/v2?x", "http://127.0.0.1:5000/two/?x"},
    {"https://hooks.acme.com/v22", "http://127.0.0.1:4000/v22"},
    {"https://hooks.acme.com/V2/x", "http://127.0.0.1:4000/V2/x"},
    {"https://hooks.acme.com/v2/deep", "http://127.0.0.1:5000/two/deep"},
    {"https://hooks.acme.com/v2/deep/", "http://127.0.0.1:6000/"},
    {"https://hooks.acme.com/v2/deep/x", "http://127.0.0.1:6000/x"},
    {"http://built.test/in/orders?x", "http://inbox.test/in"},
    {"http://open.test/orders", "http://inbox.test/orders"},
    {"http://other.test:81/x", "http://[::1]:7000/x"},
    {"http://other.test:81", "http://[::1]:7000/"},
    {"http://other.test:810", NULL},
    {"http://other.test/x", NULL},
};

static void assert_goes(const char *url, const char *goes)
{
    struct buf out = BUF_INIT;
    ck_assert_int_eq(callback_map(&row, url, &out), 0);
    ck_assert_msg(strcmp(out.data, goes) == 0, "%s goes to %s instead of %s", url, out.data, goes);
    buf_finish(&out);
}

START_TEST(map)
{
    set(MAP);
    assert_goes(mapped[_i].url, mapped[_i].goes ? mapped[_i].goes : mapped[_i].url);
}
END_TEST

START_TEST(map_of_all)
{
    assert_goes("https://hooks.acme.com/x", "https://hooks.acme.com/x");
    set("{'callback_map':{'*':'http://inbox.test/all?x','http://a.test':'http://b.test'}}");
    assert_goes("https://hooks.acme.com/x?y", "http://inbox.test/all?x");
    assert_goes("http://a.test/x", "http://b.test/x");
    set("{'callback_map':{}}");
    assert_goes("https://hooks.acme.com/x", "https://hooks.acme.com/x");
}
END_TEST

/* What a store holds that was not written by this program. */
START_TEST(damage)
{
    struct buf out = BUF_INIT;
    int64_t ms;
    bool varies;
    snprintf(row.callback.map, sizeof row.callback.map, "{");
    ck_assert_int_eq(callback_map(&row, "http://a.test", &out), ERR_CORRUPT);
    snprintf(row.callback.retries, sizeof row.callback.retries, "[5]");
    ck_assert(!callback_retry(&row, 1, &ms, &varies));
}
END_TEST

/* -- what is refused --------------------------------------------------------------------------- */

static const struct {
    const char *text, *detail, *hint;
} refused[] = {
    {"{'callback_timeout':15}", "s.callback_timeout must be a duration with its unit, from 1ms",
     ""},
    {"{'callback_timeout':'15'}", "from 1ms to 10m", "has no unit"},
    {"{'callback_timeout':'0s'}", "from 1ms to 10m", ""},
    {"{'callback_timeout':'601s'}", "from 1ms to 10m", ""},
    {"{'callback_conect_timeout':'1s'}", "no field s.\"callback_conect_timeout\"",
     "did you mean \"callback_connect_timeout\"?"},
    {"{'callback_retries':'none'}", "at most 20 durations", ""},
    {"{'callback_retries':['1s','1s','1s','1s','1s','1s','1s','1s','1s','1s','1s','1s','1s','1s',"
     "'1s','1s','1s','1s','1s','1s','1s']}",
     "at most 20 durations", ""},
    {"{'callback_retries':['5s','5']}", "s.callback_retries[1] must be a duration", "no unit"},
    {"{'callback_retries':[5]}", "s.callback_retries[0] must be a duration", ""},
    {"{'callback_map':[]}", "s.callback_map must be an object", ""},
    {"{'callback_map':{'hooks.acme.com':'http://a.test'}}", "not \"hooks.acme.com\"", ""},
    {"{'callback_map':{'http://u@a.test':'http://a.test'}}", "without user info", ""},
    {"{'callback_map':{'http://a.test/?x':'http://a.test'}}", "without user info, query", ""},
    {"{'callback_map':{'':'http://a.test'}}", "not \"\"", ""},
    {"{'callback_map':{'ftp://a.test':'http://a.test'}}", "http or https", ""},
    {"{'callback_map':{'http://a.test':'http://b.test/?x'}}", "not that of \"http://a.test\"", ""},
    {"{'callback_map':{'http://a.test':'b.test'}}", "not that of \"http://a.test\"", ""},
    {"{'callback_map':{'http://a.test':null}}", "not that of \"http://a.test\"", ""},
    {"{'callback_map':{'*':'http://u:p@b.test/'}}", "not that of \"*\"", ""},
    {"{'callback_map':{'*':5}}", "not that of \"*\"", ""},
    {"{'callback_on':'failed'}", "s.callback_on must be a list", ""},
    {"{'callback_on':['failed','canceled']}", "s.callback_on[1] must be completed, failed or",
     "did you mean \"cancelled\"?"},
    {"{'callback_on':[5]}", "s.callback_on[0] must be", ""},
    {"{'webhook_secrets':[]}", "one or two secrets", ""},
    {"{'webhook_secrets':'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz'}", "one or two secrets", ""},
    {"{'webhook_secrets':[1,2,3]}", "one or two secrets", ""},
    {"{'webhook_secrets':['whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz','x']}",
     "s.webhook_secrets[1] must be \"whsec_\" and the base64 of 24 to 64 bytes", ""},
    {"{'webhook_secrets':[null]}", "s.webhook_secrets[0] must be", ""},
};

START_TEST(words)
{
    char copy[1000];
    struct settings_change change = {.sets_jitter = false};
    struct complaint complaint = COMPLAINT_INIT;
    snprintf(copy, sizeof copy, "%s", refused[_i].text);
    for (char *c = copy; *c; c++)
        *c = (char)(*c == '\'' ? '"' : *c);
    json_t *object = json_loads(copy, 0, NULL);
    ck_assert_int_eq(settings_take(object, "s.", &change, &complaint), ERR_INVALID);
    const char *hint = complaint.hint.data ? complaint.hint.data : "";
    ck_assert_msg(strstr(complaint.detail.data, refused[_i].detail) &&
                      strstr(hint, refused[_i].hint),
                  "%s is told: %s (%s)", refused[_i].text, complaint.detail.data, hint);
    complaint_finish(&complaint);
    json_decref(object);
}
END_TEST

/* A byte more than there is room for. */
START_TEST(longest_map)
{
    char place[CALLBACK_MAP_SIZE];
    struct complaint complaint = COMPLAINT_INIT;
    size_t others = strlen("{\"*\":\"\"}"), len = CALLBACK_MAP_SIZE - 1 - others;
    for (size_t more = 0; more <= 1; more++) {
        struct settings_change change = {.sets_jitter = false};
        memset(place, 'x', sizeof place);
        memcpy(place, "http://a/", 9);
        place[len + more] = '\0';
        json_t *object = json_pack("{s{ss}}", "callback_map", "*", place);
        ck_assert_int_eq(settings_take(object, "", &change, &complaint), more ? ERR_INVALID : 0);
        json_decref(object);
    }
    ck_assert_str_eq(complaint.detail.data, "callback_map must have at most 2047 bytes as JSON");
    complaint_finish(&complaint);
}
END_TEST

/* -- secrets ----------------------------------------------------------------------------------- */

#define ONE "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
#define TWO "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo="

static void assert_shown(enum settings_secrets how, const char *shown)
{
    struct buf out = BUF_INIT;
    settings_put(&out, &row, &(struct settings_view){.secrets = how});
    ck_assert_msg(strstr(out.data, shown) != NULL, "%s does not have %s", out.data, shown);
    buf_finish(&out);
}

START_TEST(secrets)
{
    set("{'webhook_secrets':['" ONE "','" TWO "']}");
    assert_shown(SECRETS_LEFT_OUT, "\"webhook_secrets\":[null,null]");
    assert_shown(SECRETS_SHOWN_BY_END, "\"webhook_secrets\":[\"whsec_…MTIz\",\"whsec_…eXo=\"]");
    assert_shown(SECRETS_SHOWN_WHOLE, "\"webhook_secrets\":[\"" ONE "\",\"" TWO "\"]");
    set("{'webhook_secrets':null}");
    ck_assert_str_eq(row.callback.secrets, "");
}
END_TEST

/* The longest two fit, and those that are left out are as before. */
START_TEST(kept_secrets)
{
    static const char longest[] =
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
    struct settings_row given = row;
    size_t index = 9;
    set("{'webhook_secrets':['" ONE "']}");
    snprintf(given.callback.secrets, sizeof given.callback.secrets, "[\"%s\",\"%s\"]", longest,
             longest);
    ck_assert_int_eq(settings_keep_secrets(&given, &row, &index), 0);
    ck_assert(strstr(given.callback.secrets, longest));
    snprintf(given.callback.secrets, sizeof given.callback.secrets, "[null,\"%s\"]", TWO);
    ck_assert_int_eq(settings_keep_secrets(&given, &row, &index), 0);
    ck_assert_str_eq(given.callback.secrets, "[\"" ONE "\",\"" TWO "\"]");
    snprintf(given.callback.secrets, sizeof given.callback.secrets, "[null,null]");
    ck_assert_int_eq(settings_keep_secrets(&given, &row, &index), ERR_NOT_FOUND);
    ck_assert_uint_eq(index, 1);
    *given.callback.secrets = '\0';
    ck_assert_int_eq(settings_keep_secrets(&given, &row, &index), 0);
    ck_assert_str_eq(given.callback.secrets, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("callback");
    TCase *reading = tcase_create("reading"), *writing = tcase_create("writing");
    tcase_add_checked_fixture(reading, start, NULL);
    tcase_add_checked_fixture(writing, start, NULL);
    tcase_add_test(reading, times);
    tcase_add_test(reading, ends);
    tcase_add_test(reading, retries);
    tcase_add_test(reading, longest_retries);
    tcase_add_loop_test(reading, map, 0, (int)COUNT(mapped));
    tcase_add_test(reading, map_of_all);
    tcase_add_test(reading, damage);
    suite_add_tcase(suite, reading);
    tcase_add_loop_test(writing, words, 0, (int)COUNT(refused));
    tcase_add_test(writing, longest_map);
    tcase_add_test(writing, secrets);
    tcase_add_test(writing, kept_secrets);
    suite_add_tcase(suite, writing);
    return support_run(suite);
}
