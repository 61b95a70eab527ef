/* What the pages may answer, by name. */
#include "http/outcome.h"

#include "http/problem.h"
#include "http/respond.h"
#include "studio/internal.h"
#include "studio/page.h"

#include <string.h>

static bool is_chat(const struct outcome_call *call)
{
    return strcmp(call->operation, "openChat") == 0;
}

static void put_page_headers(struct outcome_reply *reply)
{
    for (size_t i = 0; i < PAGE_HEADERS; i++)
        outcome_header(reply, page_headers[i].name, page_headers[i].value);
    reply->content_type = content_type_html;
}

/* The page of an example, whatever the address. */
static void write_page(const struct outcome_call *call, struct outcome_reply *reply)
{
    static const struct page_job job = {.id = "4b7d10c92f3e",
                                        .status = "completed",
                                        .created_at_ms = SAMPLE_CREATED_AT,
                                        .started_at_ms = SAMPLE_CREATED_AT + 5000,
                                        .completed_at_ms = SAMPLE_CREATED_AT + 45000};
    static const char slug[] = "discovery-call-with-skeptical-it-director";
    static const char name[] = "Discovery Call with Skeptical IT Director";
    static const char prompt[] = "Create a discovery call scenario with a skeptical IT director";
    put_page_headers(reply);
    if (is_chat(call))
        page_chat(&reply->body, &(struct page_chat){.base_path = "",
                                                    .workspace_name = "Example",
                                                    .id = "9e8d7c6b5a43",
                                                    .prompt = prompt,
                                                    .user_email = "jane@acme.com",
                                                    .created_at_ms = SAMPLE_CREATED_AT,
                                                    .job = &job,
                                                    .scenario_slug = slug,
                                                    .scenario_name = name});
    else
        page_scenario(&reply->body, &(struct page_scenario){.base_path = "",
                                                            .workspace_name = "Example",
                                                            .id = "51c0e3a4d5f6",
                                                            .slug = slug,
                                                            .name = name,
                                                            .prompt = prompt,
                                                            .owner_email = "jane@acme.com",
                                                            .created_at_ms = SAMPLE_CREATED_AT,
                                                            .job = &job});
}

static void write_absent(const struct outcome_call *call, struct outcome_reply *reply)
{
    put_page_headers(reply);
    if (is_chat(call))
        chat_put_absent(&reply->body);
    else
        scenario_put_absent(&reply->body);
}

/* `which`: an enum outcome_refusal, or an ERR_ code. */
static void write_refusal(const struct outcome_call *call, struct outcome_reply *reply)
{
    struct refusal refusal;
    outcome_refusal(call, reply, &refusal);
    reply->content_type = problem_write_refusal(call->request, &reply->body, &refusal);
}

static const char *const pages[] = {"openChat", "showScenario", NULL};

/* clang-format off */
const struct outcome page_outcomes[] = {
    {pages, "200", 200, "DA", "S24", "The page", write_page, 0, NULL},
    {pages, "404", 404, "A", "H3", "A page that says that nothing is there", write_absent, 0, NULL},
    OUTCOMES_OF_PARAMS(pages, write_refusal),
    OUTCOMES_OF_HEADS(pages, write_refusal),
    OUTCOMES_OF_FAULTS(pages, write_refusal),
};
/* clang-format on */
const size_t page_outcome_count = sizeof page_outcomes / sizeof *page_outcomes;
