/* Tags in addresses, and what lines mean for a job as a whole (engine/magic.h). */
#include "engine/magic.h"

#include "base/buf.h"
#include "base/duration.h"
#include "engine/generator.h"
#include "engine/magic_lines.h"

#include <stdio.h>
#include <string.h>

/* -- tags -------------------------------------------------------------------------------------- */

static const char slow[] = "slow-";

/* What a tag, in lower case, says. False: it is not magic. */
static bool read_tag(const char *tag, struct plan *plan)
{
    if (strcmp(tag, "fail") == 0) {
        plan->end = PLAN_FAILED;
        snprintf(plan->error_code, sizeof plan->error_code, "GENERATION_ERROR");
    } else if (strcmp(tag, "policy") == 0) {
        plan->end = PLAN_FAILED;
        snprintf(plan->error_code, sizeof plan->error_code, "CONTENT_POLICY_VIOLATION");
    } else if (strcmp(tag, "hold") == 0) {
        plan->hold_at = JOB_PROCESSING;
    } else {
        return strncmp(tag, slow, sizeof slow - 1) == 0 &&
               duration_parse(tag + sizeof slow - 1, &plan->processing, NULL) == 0;
    }
    return true;
}

bool magic_take_tag(char email[EMAIL_SIZE], struct plan *plan)
{
    char folded[EMAIL_SIZE];
    struct plan said;
    char *at = strrchr(email, '@');
    char *plus = at ? memrchr(email, '+', (size_t)(at - email)) : NULL;
    if (!plus || plus == email) /* nobody would be left */
        return false;
    email_fold(plus + 1, folded);
    folded[at - plus - 1] = '\0';
    plan_init(&said);
    if (!read_tag(folded, &said))
        return false;
    plan_add(plan, &said);
    memmove(plus, at, strlen(at) + 1);
    return true;
}

bool magic_is_member(struct registry *registry, const struct workspace *workspace,
                     const char *email, struct plan *plan)
{
    char rest[EMAIL_SIZE];
    struct plan said;
    if (strlen(email) > EMAIL_MAX)
        return false;
    if (registry_lists_member(registry, workspace, email))
        return true;
    snprintf(rest, sizeof rest, "%s", email);
    plan_init(&said);
    bool is_listed = false, has_tag = false;
    while (!is_listed && magic_take_tag(rest, &said)) {
        has_tag = true;
        is_listed = registry_lists_member(registry, workspace, rest);
    }
    if (is_listed || (has_tag && registry_is_member(registry, workspace, rest))) {
        plan_add(plan, &said);
        return true;
    }
    return registry_is_member(registry, workspace, email);
}

/* -- lines ------------------------------------------------------------------------------------- */

/* The name of what the prompt asks for, its lines aside; whether there is anything to name. */
static int name_rest(const char *prompt, char name[SCENARIO_NAME_SIZE], bool *ret_has_rest)
{
    struct buf rest = BUF_INIT;
    magic_drop_lines(prompt, &rest);
    int status = buf_failed(&rest) ? ERR_NO_MEMORY : 0;
    if (status == 0) {
        const char *text = rest.data ? rest.data : "";
        *ret_has_rest = generator_can_name(text, rest.len);
        generator_name(text, *ret_has_rest ? rest.len : 0, name);
    }
    buf_finish(&rest);
    return status;
}

int magic_add_lines(const char *prompt, const char *context, struct plan *plan)
{
    struct plan said, under;
    bool has_rest = true;
    int status = 0;
    plan_init(&said);
    plan_init(&under);
    magic_read_lines(prompt, &said, NULL);
    if (magic_has_line(prompt))
        status = name_rest(prompt, said.scenario_name, &has_rest);
    if (status < 0)
        return status;
    if (context)
        magic_read_lines(context, &under, NULL);
    plan_add(&said, &under);
    plan_add(plan, &said);
    if (!has_rest && plan_says_end(plan) == PLAN_END_UNSAID)
        plan->end = PLAN_FAILED;
    return 0;
}

int magic_plan(struct registry *registry, const struct workspace *workspace,
               const struct job_input *input, struct plan *plan, bool *ret_is_member)
{
    if (!atomic_load(&workspace->magic)) {
        *ret_is_member = registry_is_member(registry, workspace, input->user_email);
        return 0;
    }
    int status = magic_add_lines(input->prompt, input->context, plan);
    if (status == 0)
        *ret_is_member = magic_is_member(registry, workspace, input->user_email, plan);
    return status;
}
