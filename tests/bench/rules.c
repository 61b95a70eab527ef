/*
 * What rules cost a request, without HTTP around it: 1,000 of them, told apart by operation, email
 * or request_id, none of which matches and then one. Also the prompts: the longest one against
 * patterns that are slow elsewhere.
 *
 *     build/tests/bench_rules
 *
 * The bound is 20 µs a request.
 */
#include "engine/rule_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RULES = 1000, ROUNDS = 20000, PROMPT_LEN = 10000 };

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static struct rule *make(const char *format, int number)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct rule *rule = NULL;
    char text[400];
    json_error_t error;
    snprintf(text, sizeof text, format, number);
    json_t *value = json_loads(text, 0, &error);
    if (!value || rule_parse(value, "", &complaint, &rule) < 0) {
        fprintf(stderr, "%s: %s\n", text, complaint.detail.data ? complaint.detail.data : "?");
        exit(1);
    }
    json_decref(value);
    return rule;
}

static const char *asked_email, *asked_id;

/* As a handler has it once the body was parsed. */
static int fill(struct rule_request *request)
{
    request->email = asked_email;
    request->request_id = asked_id;
    request->prompt = "Practice a renewal call";
    return 0;
}

static double measure(const struct rule_set *set, size_t *ret_matched)
{
    double begun = now_us();
    size_t matched = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct rule_list lists[RULE_KINDS] = {{0}};
        struct rule_request request = {.operation = rule_operation("createScenarioJob"),
                                       .fill = fill};
        if (rule_set_match(set, &request, lists) < 0)
            exit(1);
        for (int kind = 0; kind < RULE_KINDS; kind++) {
            matched += lists[kind].count;
            free(lists[kind].items);
        }
    }
    *ret_matched = matched / ROUNDS;
    return (now_us() - begun) / ROUNDS;
}

static void bench(const char *name, const char *format)
{
    struct rule *rules[RULES];
    size_t none, one;
    for (int i = 0; i < RULES; i++)
        rules[i] = make(format, i);
    struct rule_set *set = rule_set_create(rules, RULES);
    asked_email = "nobody@acme.com";
    asked_id = "no-request";
    double without = measure(set, &none);
    asked_email = "user500@acme.com";
    asked_id = "request-500";
    double with = measure(set, &one);
    printf("%-12s %zu matches: %6.2f us    %zu matches: %6.2f us\n", name, none, without, one,
           with);
    rule_set_release(set);
    for (int i = 0; i < RULES; i++)
        rule_release(rules[i]);
}

static void bench_pattern(const char *expression)
{
    static char prompt[PROMPT_LEN + 1];
    struct pattern *pattern;
    struct err err;
    if (pattern_create(expression, &pattern, &err) < 0)
        exit(1);
    memset(prompt, 'a', PROMPT_LEN);
    double begun = now_us();
    bool same = pattern_fits(pattern, prompt);
    double first = now_us() - begun;
    srand(1);
    for (int i = 0; i < PROMPT_LEN; i++)
        prompt[i] = (char)('a' + (rand() & 1));
    begun = now_us();
    bool mixed = pattern_fits(pattern, prompt);
    double second = now_us() - begun;
    printf("%-24s aaa…: %d in %8.2f ms    abba…: %d in %8.2f ms\n", expression, same, first / 1e3,
           mixed, second / 1e3);
    pattern_destroy(pattern);
}

int main(void)
{
    static const char *const expressions[] = {
        "policy", "[a-z]+@[a-z]+",    "a.*b.*c.*d",        "(a|aa)*c", "(a*)*c",
        "(.*)*x", "(a{1,15}){1,15}c", "(a|b)*a(a|b){60}$", NULL};
    bench("operation", "{\"match\":{\"operation\":\"getScenarioJob\",\"job\":\"j%d\"},"
                       "\"do\":{\"respond\":{\"status\":503}},\"times\":1}");
    bench("email", "{\"match\":{\"email\":\"user%d@acme.com\"},"
                   "\"do\":{\"respond\":{\"status\":503}},\"times\":1}");
    bench("request_id", "{\"match\":{\"request_id\":\"request-%d\"},"
                        "\"do\":{\"respond\":{\"status\":503}},\"times\":1}");
    bench("email glob", "{\"match\":{\"email\":\"*user%d@acme.com\"},"
                        "\"do\":{\"respond\":{\"status\":503}},\"times\":1}");
    for (size_t i = 0; expressions[i]; i++)
        bench_pattern(expressions[i]);
    return 0;
}
