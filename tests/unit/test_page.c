/*
 * The HTML pages (S13, S24, H3): whatever the values hold, they come out as text; the pages are
 * well-formed, small, free of scripts, and their style sheet is the one that the policy names.
 */
#include <check.h>
#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "studio/page.h"

/* 2024-03-01T10:00:00Z, the time of the documents' examples. */
#define TEN_O_CLOCK 1709287200000

/* The pages' own size, without any user's text (in bytes). */
enum { PAGE_MAX = 12 * 1024 };

/* Deeper than any page nests its elements. */
enum { DEPTH_MAX = 32 };

static struct buf page;

static void page_setup(void)
{
    page = BUF_INIT;
}

static void page_teardown(void)
{
    buf_finish(&page);
}

static size_t count(const char *needle)
{
    size_t found = 0;
    for (const char *at = page.data; (at = strstr(at, needle)); at += strlen(needle))
        found++;
    return found;
}

static bool shows(const char *text)
{
    return strstr(page.data, text) != NULL;
}

/* For a failure's message, which has limited room: the page from where its content begins. */
static const char *content(void)
{
    const char *main_start = strstr(page.data, "<main>");
    return main_start ? main_start : page.data;
}

#define ck_shows(text) ck_assert_msg(shows(text), "missing: %s\n%.3000s", text, content())
#define ck_hides(text) ck_assert_msg(!shows(text), "unwanted: %s\n%.3000s", text, content())

static struct page_job a_job(const char *status, int64_t started, int64_t completed)
{
    return (struct page_job){.id = "j1o2b3i4d5x6",
                             .status = status,
                             .created_at_ms = TEN_O_CLOCK,
                             .started_at_ms = started,
                             .completed_at_ms = completed};
}

static struct page_chat a_chat(const struct page_job *job)
{
    return (struct page_chat){.base_path = "",
                              .workspace_name = "Acme Corp",
                              .id = "x9y8z7w6v5u4",
                              .prompt = "Create a discovery call",
                              .user_email = "jane@acme.com",
                              .created_at_ms = TEN_O_CLOCK - 4000,
                              .job = job};
}

static struct page_scenario a_scenario(const struct page_job *job)
{
    return (struct page_scenario){.base_path = "",
                                  .workspace_name = "Acme Corp",
                                  .id = "s1c2e3n4a5r6",
                                  .slug = "discovery-call",
                                  .name = "Discovery Call",
                                  .prompt = "Create a discovery call",
                                  .owner_email = "jane@acme.com",
                                  .created_at_ms = TEN_O_CLOCK + 145000,
                                  .job = job};
}

/* Every field of every page holds `text`. Of the pages, `which` is written. */
static void render_everywhere(const char *text, int which)
{
    struct page_job job = {text, "failed", TEN_O_CLOCK, TEN_O_CLOCK, TEN_O_CLOCK, text, text};
    struct page_chat chat = {text, text, text, text, text, TEN_O_CLOCK, &job, text, text};
    struct page_scenario scenario = {text, text,        text, text, text, text, text,
                                     text, TEN_O_CLOCK, text, text, true, &job, text};

    if (which == 0)
        page_chat(&page, &chat);
    else if (which == 1)
        page_scenario(&page, &scenario);
    else
        page_problem(&page, 404, text, text);
}

enum { PAGE_KINDS = 3 };

static bool is_void(const char *name)
{
    return !strcmp(name, "meta") || !strcmp(name, "link") || !strcmp(name, "br");
}

/* Attributes: names, each with a value in double quotes. Stops at the tag's end. */
static const char *check_attributes(const char *at)
{
    while (*at == ' ') {
        size_t name = strspn(++at, "abcdefghijklmnopqrstuvwxyz-");
        ck_assert_msg(name > 0 && !strncmp(at + name, "=\"", 2), "bad attribute: %.60s", at);
        at += name + 2;
        at += strcspn(at, "\"<>");
        ck_assert_msg(*at == '"', "bad value: %.60s", at);
        at++;
    }
    ck_assert_msg(*at == '>', "bad tag: %.60s", at);
    return at + 1;
}

/* An ampersand may only begin one of the references that the pages write. */
static void check_reference(const char *at)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&#34;", "&#39;"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strncmp(at, known[i], strlen(known[i])))
            return;
    ck_abort_msg("bare ampersand: %.60s", at);
}

/* A strict reader of the small part of HTML that the pages are made of. */
static void check_well_formed(void)
{
    char open[DEPTH_MAX][16];
    size_t depth = 0;
    const char *at = page.data;

    ck_assert_uint_eq(strlen(page.data), page.len);
    ck_assert_msg(!strncmp(at, "<!DOCTYPE html>\n", 16), "no doctype");
    for (at += 16; *at;) {
        if (*at == '&')
            check_reference(at);
        if (*at == '>') /* not at each byte: check writes every assertion down */
            ck_assert_msg(depth == 0 || !strcmp(open[depth - 1], "style"), "bare '>': %.60s", at);
        if (*at != '<') {
            at++;
            continue;
        }
        bool closing = at[1] == '/';
        char name[16] = "";
        at += closing ? 2 : 1;
        size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789");
        ck_assert_msg(len > 0 && len < sizeof name, "bad tag: %.60s", at);
        memcpy(name, at, len);
        at = check_attributes(at + len);
        if (closing) {
            ck_assert_msg(depth > 0 && !strcmp(open[depth - 1], name), "</%s> unopened", name);
            depth--;
        } else if (!is_void(name)) {
            ck_assert_uint_lt(depth, DEPTH_MAX);
            strcpy(open[depth++], name);
        }
    }
    ck_assert_msg(depth == 0, "<%s> left open", open[0]);
}

static void check_frame(void)
{
    static const char *const once[] = {"<html lang=\"en\">", "<title>", "<h1>", "<main>", "<style>",
                                       "</style>",           "<footer>"};
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        ck_assert_msg(count(once[i]) == 1, "%s: %zu times", once[i], count(once[i]));
    ck_assert_uint_ge(count("<header>"), 1);
    ck_shows("<meta charset=\"utf-8\">");
    ck_shows("stand-in for tests, not the vendor’s product");
    ck_hides("<script");
    ck_hides("style=\"");
    ck_hides("http://localhost");
    check_well_formed();
}

static const char *const hostile[] = {
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "\" onfocus=\"alert(1)\" autofocus=\"",
    "</title><script>alert(1)</script>",
    "</style></textarea><svg onload=alert(1)>",
    "javascript:alert(1)",
    "&lt;script&gt; &#60;b&#62; &amp",
    "<!-- --> ]]> <![CDATA[ <?php ?> {{7*7}} ${7*7} %s%n",
    "//evil.example/\\evil.example",
    "\xE2\x80\xAE turned \xE2\x81\xA6 isolated \xE2\x80\x8B",
    "a\rb\r\nc\nd\te\x01\x07\x1B[31m\x7F\xC2\x85\xC2\x9B",
    "\xFF\xC2 broken \xE2\x82",
    "",
};

START_TEST(hostile_text_stays_text)
{
    const char *text = hostile[_i];

    for (int which = 0; which < PAGE_KINDS; which++) {
        buf_finish(&page);
        render_everywhere(text, which);
        ck_assert(!buf_failed(&page));
        check_frame();
        ck_hides("<img");
        ck_hides("<svg ");
        ck_hides("href=\"javascript");
        ck_hides("href=\"//");
        for (const char *at = page.data; *at; at++)
            if ((unsigned char)*at < 0x20 && *at != '\n' && *at != '\t')
                ck_abort_msg("control character %#x", (unsigned)*at);
    }
}
END_TEST

/*
 * One field at a time bears a mark with all five characters: it must come out escaped, at least
 * once, and never raw. So a field that is forgotten, or written unescaped, is found by its name.
 */
#define MARK       "m&<>\"'k"
#define MARK_SHOWN "m&amp;&lt;&gt;&#34;&#39;k"

static void check_mark(const char *field)
{
    ck_assert_msg(shows(MARK_SHOWN), "%s is not shown", field);
    ck_assert_msg(!shows(MARK), "%s is shown raw", field);
    check_well_formed();
    buf_finish(&page);
}

START_TEST(every_field_of_a_session_is_escaped)
{
    static const char *const names[] = {"workspace", "id",      "prompt",     "user_email",
                                        "job id",    "message", "error code", "scenario name"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct page_job job = a_job("failed", TEN_O_CLOCK, TEN_O_CLOCK);
        struct page_chat chat = a_chat(&job);
        chat.scenario_slug = "slug";
        const char **fields[] = {
            &chat.workspace_name, &chat.id,        &chat.prompt,       &chat.user_email, &job.id,
            &job.error_message,   &job.error_code, &chat.scenario_name};
        *fields[i] = MARK;
        page_chat(&page, &chat);
        check_mark(names[i]);
    }
}
END_TEST

START_TEST(every_field_of_a_scenario_is_escaped)
{
    static const char *const names[] = {"workspace", "id",        "slug",        "name",
                                        "prompt",    "context",   "owner_email", "source_name",
                                        "job id",    "session_id"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct page_job job = a_job("completed", TEN_O_CLOCK, TEN_O_CLOCK);
        struct page_scenario scenario = a_scenario(&job);
        scenario.source_slug = "source";
        const char **fields[] = {&scenario.workspace_name, &scenario.id,          &scenario.slug,
                                 &scenario.name,           &scenario.prompt,      &scenario.context,
                                 &scenario.owner_email,    &scenario.source_name, &job.id,
                                 &scenario.session_id};
        *fields[i] = MARK;
        page_scenario(&page, &scenario);
        check_mark(names[i]);
    }
}
END_TEST

START_TEST(problem_is_escaped)
{
    page_problem(&page, 404, MARK, "d");
    check_mark("title");
    page_problem(&page, 404, "t", MARK);
    check_mark("detail");
}
END_TEST

START_TEST(links_are_percent_encoded)
{
    struct page_job job = a_job("completed", TEN_O_CLOCK, TEN_O_CLOCK);
    struct page_scenario scenario = a_scenario(&job);
    struct page_chat chat = a_chat(&job);

    chat.base_path = "/w/a\"b%";
    chat.scenario_slug = "javascript:alert('1')/../?q#f";
    chat.scenario_name = "n";
    page_chat(&page, &chat);
    ck_shows("<a href=\"/w/a%22b%25/scenarios/"
             "javascript%3Aalert%28%271%27%29%2F..%2F%3Fq%23f\">");

    buf_finish(&page);
    scenario.base_path = "/w/globex";
    scenario.source_slug = "\xC3\xA9 <b>";
    scenario.source_exists = true;
    scenario.session_id = "x9y8z7w6v5u4";
    page_scenario(&page, &scenario);
    ck_shows("<a href=\"/w/globex/scenarios/%C3%A9%20%3Cb%3E\"><bdi>\xC3\xA9 &lt;b&gt;</bdi></a>");
    ck_shows("<a href=\"/w/globex/chat/x9y8z7w6v5u4\">");
}
END_TEST

START_TEST(control_characters_are_pictures)
{
    struct page_chat chat = a_chat(NULL);

    chat.prompt = "a\x01\x1F\x7F\xC2\x9Bz\ttab\r\nline\rpicture\n\nend";
    page_chat(&page, &chat);
    ck_shows(">a\xE2\x90\x81\xE2\x90\x9F\xE2\x90\xA1\xEF\xBF\xBDz\ttab<br>\n"
             "line\xE2\x90\x8Dpicture<br>\n<br>\nend</div>");
}
END_TEST

START_TEST(foreign_directions_are_isolated)
{
    struct page_chat chat = a_chat(NULL);

    chat.prompt = chat.user_email = chat.workspace_name = "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D";
    page_chat(&page, &chat);
    ck_assert_uint_eq(count("<bdi>\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D</bdi>"), 2);
    ck_shows("dir=\"auto\">\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D</div>");
}
END_TEST

#define REFRESH   "<meta http-equiv=\"refresh\" content=\"2\">"
#define AT(time_) "<time datetime=\"2024-03-01T" time_ "Z\">2024-03-01T" time_ "Z</time>"

/* S13: what each state looks like; only a page whose job has not ended reloads itself. */
START_TEST(session_shows_its_state)
{
    static const struct {
        const char *status;
        int64_t started, completed;
        bool ended;
        const char *badge, *steps[3];
    } cases[] = {
        {"queued",
         -1,
         -1,
         false,
         "<span class=\"badge queued\">Queued</span>",
         {"<li class=\"now\" aria-current=\"step\"><span class=\"step\">Queued</span> " AT(
              "10:00:00"),
          "<li class=\"next\"><span class=\"step\">Processing</span>",
          "<li class=\"next\"><span class=\"step\">Completed</span>"}},
        {"processing",
         5000,
         -1,
         false,
         "<span class=\"badge processing\">Processing</span>",
         {"<li class=\"done\"><span class=\"step\">Queued</span>",
          "<li class=\"now\" aria-current=\"step\"><span class=\"step\">Processing</span> " AT(
              "10:00:05"),
          "<li class=\"next\"><span class=\"step\">Completed</span>"}},
        {"completed",
         5000,
         150999,
         true,
         "<span class=\"badge completed\">Completed</span>",
         {"<li class=\"done\"><span class=\"step\">Queued</span>",
          "<li class=\"done\"><span class=\"step\">Processing</span>",
          "<li class=\"completed\" aria-current=\"step\"><span class=\"step\">Completed</span> " AT(
              "10:02:30")}},
        {"failed",
         5000,
         150000,
         true,
         "<span class=\"badge failed\">Failed</span>",
         {"<li class=\"done\"><span class=\"step\">Queued</span>",
          "<li class=\"done\"><span class=\"step\">Processing</span>",
          "<li class=\"failed\" aria-current=\"step\"><span class=\"step\">Failed</span> " AT(
              "10:02:30")}},
        {"cancelled",
         -1,
         3000,
         true,
         "<span class=\"badge cancelled\">Cancelled</span>",
         {"<li class=\"done\"><span class=\"step\">Queued</span>",
          "<li class=\"skip\"><span class=\"step\">Processing</span> "
          "<span class=\"note\">never began</span>",
          "<li class=\"cancelled\" aria-current=\"step\"><span class=\"step\">Cancelled</span> " AT(
              "10:00:03")}},
        {"cancelled",
         5000,
         6000,
         true,
         "<span class=\"badge cancelled\">Cancelled</span>",
         {"<li class=\"done\"><span class=\"step\">Queued</span>",
          "<li class=\"done\"><span class=\"step\">Processing</span> " AT("10:00:05"),
          "<li class=\"cancelled\" aria-current=\"step\"><span class=\"step\">Cancelled</span>"}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct page_job job =
            a_job(cases[i].status, cases[i].started < 0 ? -1 : TEN_O_CLOCK + cases[i].started,
                  cases[i].completed < 0 ? -1 : TEN_O_CLOCK + cases[i].completed);
        struct page_chat chat = a_chat(&job);
        page_chat(&page, &chat);
        ck_assert_uint_eq(count(REFRESH), cases[i].ended ? 0 : 1);
        ck_assert_uint_eq(count("reloads itself"), cases[i].ended ? 0 : 1);
        ck_shows(cases[i].badge);
        for (size_t step = 0; step < 3; step++)
            ck_shows(cases[i].steps[step]);
        ck_hides("/scenarios/");
        check_frame();
        buf_finish(&page);
    }
}
END_TEST

START_TEST(session_before_its_job_reloads)
{
    struct page_chat chat = a_chat(NULL);

    page_chat(&page, &chat);
    check_frame();
    ck_assert_uint_eq(count(REFRESH), 1);
    ck_shows("Not started");
    ck_assert_uint_eq(count("not yet"), 3);
    ck_shows("<code><bdi>x9y8z7w6v5u4</bdi></code>");
    ck_shows(AT("09:59:56"));
}
END_TEST

/* S24: a completed session leads to its scenario. */
START_TEST(completed_session_links_its_scenario)
{
    struct page_job job = a_job("completed", TEN_O_CLOCK, TEN_O_CLOCK);
    struct page_chat chat = a_chat(&job);

    chat.base_path = "/w/globex";
    chat.scenario_slug = "discovery-call-2";
    chat.scenario_name = "Discovery Call";
    page_chat(&page, &chat);
    ck_shows("<a href=\"/w/globex/scenarios/discovery-call-2\"><bdi>Discovery Call</bdi></a>");
}
END_TEST

/* S23: a failed session says why. */
START_TEST(failed_session_shows_its_error)
{
    struct page_job job = a_job("failed", TEN_O_CLOCK, TEN_O_CLOCK);
    struct page_chat chat = a_chat(&job);

    job.error_code = "GENERATION_ERROR";
    job.error_message = "Unable to generate scenario from the provided prompt";
    page_chat(&page, &chat);
    ck_shows("Unable to generate scenario from the provided prompt</div>");
    ck_shows("<code><bdi>GENERATION_ERROR</bdi></code>");
}
END_TEST

/* S24: the source of a remix is shown, and linked while it is there. */
START_TEST(scenario_shows_its_source)
{
    struct page_job job = a_job("completed", TEN_O_CLOCK, TEN_O_CLOCK);
    struct page_scenario scenario = a_scenario(&job);

    page_scenario(&page, &scenario);
    check_frame();
    ck_hides("A remix of");
    ck_hides("<h2>Context</h2>");
    ck_hides("<dt>Session</dt>");

    buf_finish(&page);
    scenario.source_slug = "first-call";
    scenario.source_name = "First Call";
    scenario.source_exists = true;
    scenario.context = "## Prospect\n- TechCorp";
    page_scenario(&page, &scenario);
    check_frame();
    ck_shows("A remix of <a href=\"/scenarios/first-call\"><bdi>First Call</bdi></a>.");
    ck_shows("<h2>Context</h2>");
    ck_shows("## Prospect<br>\n- TechCorp</div>");

    buf_finish(&page);
    scenario.source_exists = false;
    page_scenario(&page, &scenario);
    ck_shows("A remix of <bdi>First Call</bdi>, which is no longer here.");
    ck_hides("href=\"/scenarios/");
}
END_TEST

START_TEST(scenario_without_a_job_or_a_source_name)
{
    struct page_scenario scenario = a_scenario(NULL);

    scenario.source_slug = "first-call";
    page_scenario(&page, &scenario);
    check_frame();
    ck_hides("Made by job");
    ck_shows("A remix of <bdi>first-call</bdi>, which");
}
END_TEST

START_TEST(scenario_shows_its_jobs_duration)
{
    static const struct {
        int64_t ms;
        const char *shown;
    } cases[] = {
        {0, "<time datetime=\"PT0S\">0 s</time>"},
        {250, "<time datetime=\"PT0.25S\">0.25 s</time>"},
        {7, "<time datetime=\"PT0.007S\">0.007 s</time>"},
        {40000, "<time datetime=\"PT40S\">40 s</time>"},
        {60000, "<time datetime=\"PT60S\">1 min 0 s</time>"},
        {145000, "<time datetime=\"PT145S\">2 min 25 s</time>"},
        {3600000 * 76LL + 1500, "<time datetime=\"PT273601.5S\">76 h 0 min 1.5 s</time>"},
        {-1, "<time datetime=\"PT0S\">0 s</time>"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct page_job job = a_job("completed", TEN_O_CLOCK, TEN_O_CLOCK + cases[i].ms);
        struct page_scenario scenario = a_scenario(&job);
        page_scenario(&page, &scenario);
        ck_shows(cases[i].shown);
        buf_finish(&page);
    }
}
END_TEST

START_TEST(problem_names_its_status)
{
    page_problem(&page, 404, "Page not found", "There is nothing here.");
    check_frame();
    ck_shows("Error 404");
    ck_shows("<title>Page not found · Understudy</title>");
    ck_shows("There is nothing here.</div>");
    ck_assert_uint_eq(count(REFRESH), 0);
}
END_TEST

START_TEST(pages_are_small)
{
    for (int which = 0; which < PAGE_KINDS; which++) {
        render_everywhere("", which);
        ck_assert_uint_le(page.len, PAGE_MAX);
        buf_finish(&page);
    }
}
END_TEST

/* The policy names the very style sheet that the pages embed, and lets nothing else in. */
START_TEST(policy_fits_the_style_sheet)
{
    struct sha256_ctx hash;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char source[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE) + 1] = "", policy[512];

    page_problem(&page, 404, "t", "d");
    const char *style = strstr(page.data, "<style>") + strlen("<style>");
    const char *end = strstr(style, "</style>");
    sha256_init(&hash);
    sha256_update(&hash, (size_t)(end - style), (const uint8_t *)style);
    sha256_digest(&hash, sizeof digest, digest);
    base64_encode_raw(source, sizeof digest, digest);
    snprintf(policy, sizeof policy,
             "default-src 'none'; style-src 'sha256-%s'; img-src data:; base-uri 'none'; "
             "form-action 'none'; frame-ancestors 'none'",
             source);
    ck_assert_str_eq(page_security_policy, policy);

    /* Nothing in the sheet asks for anything, and no byte could end it early. */
    static const char *const fetching[] = {"url(", "@import", "image-set("};
    for (size_t i = 0; i < sizeof fetching / sizeof *fetching; i++) {
        const char *at = strstr(style, fetching[i]);
        ck_assert_msg(!at || at > end, "%s in the style sheet", fetching[i]);
    }
    ck_assert_ptr_null(memchr(style, '<', (size_t)(end - style)));
}
END_TEST

START_TEST(long_text_is_kept_whole)
{
    enum { LENGTH = 50000 };
    char *text = malloc(LENGTH + 1);
    struct page_scenario scenario = a_scenario(NULL);

    memset(text, 'w', LENGTH);
    text[LENGTH] = '\0';
    scenario.context = text;
    page_scenario(&page, &scenario);
    ck_assert(shows(text));
    free(text);
}
END_TEST

static Suite *page_suite(void)
{
    Suite *suite = suite_create("page");
    TCase *texts = tcase_create("H3, S13, S24: values are text");
    TCase *views = tcase_create("S13, S20, S23, S24: what the pages show");

    tcase_add_checked_fixture(texts, page_setup, page_teardown);
    tcase_add_loop_test(texts, hostile_text_stays_text, 0, sizeof hostile / sizeof *hostile);
    tcase_add_test(texts, every_field_of_a_session_is_escaped);
    tcase_add_test(texts, every_field_of_a_scenario_is_escaped);
    tcase_add_test(texts, problem_is_escaped);
    tcase_add_test(texts, links_are_percent_encoded);
    tcase_add_test(texts, control_characters_are_pictures);
    tcase_add_test(texts, foreign_directions_are_isolated);
    tcase_add_test(texts, long_text_is_kept_whole);
    suite_add_tcase(suite, texts);

    tcase_add_checked_fixture(views, page_setup, page_teardown);
    tcase_add_test(views, session_shows_its_state);
    tcase_add_test(views, session_before_its_job_reloads);
    tcase_add_test(views, completed_session_links_its_scenario);
    tcase_add_test(views, failed_session_shows_its_error);
    tcase_add_test(views, scenario_shows_its_source);
    tcase_add_test(views, scenario_without_a_job_or_a_source_name);
    tcase_add_test(views, scenario_shows_its_jobs_duration);
    tcase_add_test(views, problem_names_its_status);
    tcase_add_test(views, pages_are_small);
    tcase_add_test(views, policy_fits_the_style_sheet);
    suite_add_tcase(suite, views);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(page_suite());

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
