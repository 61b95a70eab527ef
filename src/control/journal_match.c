#include "control/journal_match.h"

#include "base/json.h"
#include "control/input.h"
#include "control/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- bodies ------------------------------------------------------------------------------------ */

/* The length of what comes before the last comma between members of the outermost object; 0. */
static size_t whole_members(const char *text, size_t len)
{
    size_t depth = 0, comma = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (text[i] == '{' || text[i] == '[')
            depth++;
        else if (text[i] == '}' || text[i] == ']')
            depth -= depth > 0;
        else if (text[i] == ',' && depth == 1)
            comma = i;
    }
    return comma;
}

static json_t *parse_cut(const struct journal_text *body)
{
    json_t *value = NULL;
    size_t len = whole_members(body->data, body->len);
    char *text = malloc(len + 1);
    if (text && len) {
        memcpy(text, body->data, len);
        text[len] = '}';
        json_parse_body(text, len + 1, &value, NULL);
    }
    free(text);
    return value;
}

json_t *journal_body_json(const struct journal_entry *entry)
{
    const struct journal_text *body = &entry->body;
    json_t *value = NULL;
    if (!body->data || !body->len)
        return NULL;
    if (json_parse_body(body->data, body->len, &value, NULL) < 0 && body->len < body->whole)
        value = parse_cut(body);
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

/* -- what rules ask ---------------------------------------------------------------------------- */

static const char *header(struct rule_request *rules, const char *name)
{
    return journal_header(&((struct journal_request *)rules)->entry->headers, name);
}

/* Nothing, where it is not there any more; but it was, where the answer said so. */
static int note_absence(struct journal_request *self, int status)
{
    if (status != ERR_NOT_FOUND)
        return status;
    self->is_partial = self->entry->status / 100 == 2;
    return 0;
}

static int take_job(struct journal_request *self)
{
    struct job job;
    json_t *input = NULL;
    int status =
        self->db ? input_of_job(self->db, self->workspace, self->entry->job, &job, &input) : 0;
    if (input && !(self->input = secrets_blot(input)))
        status = ERR_NO_MEMORY;
    json_decref(input);
    return note_absence(self, status);
}

static int take_session(struct journal_request *self)
{
    struct session session = {.job = ""};
    const char *id = journal_request_part(self, 1);
    int status = self->db && id
                     ? input_of_session(self->db, self->workspace, id, &session, &self->input)
                     : 0;
    if (!self->rules.job && *session.job) {
        memcpy(self->job, session.job, sizeof self->job);
        self->rules.job = self->job;
    }
    return note_absence(self, status);
}

/* Its members may be missing: those after the cut, or all of one that was too long to be taken. */
static bool is_cut(const struct journal_text *body)
{
    return body->len < body->whole && (body->len >= JOURNAL_BODY_MAX || !body->len);
}

static int take_body(struct journal_request *self)
{
    const struct journal_entry *entry = self->entry;
    bool made = entry->status == 201 && *entry->job; /* 200 gives a job that another one made */
    if (made && entry->body.len < entry->body.whole)
        return take_job(self);
    self->input = journal_body_json(entry);
    self->is_partial = is_cut(&entry->body);
    return 0;
}

static int take_nothing(struct journal_request *self)
{
    (void)self;
    return 0;
}

/* What each operation has; its path's part that names a project or a scenario, 0: none. */
static const struct operation {
    const char *id;
    int (*take)(struct journal_request *self);
    size_t project, slug;
} operations[] = {
    {"createScenarioStudioSession", take_body, 0, 0},
    {"createScenarioJob", take_body, 0, 0},
    {"getScenarioJob", take_job, 0, 0},
    {"cancelScenarioJob", take_job, 0, 0},
    {"openChat", take_session, 0, 0},
    {"showScenario", take_nothing, 0, 1},
    {"listScenarios", take_nothing, 2, 0},
    {"createScenario", take_body, 2, 0},
    {"getScenario", take_nothing, 2, 0},
    {"updateScenario", take_body, 2, 0},
    {"deleteScenario", take_nothing, 2, 0},
};

static const struct operation *find_operation(const struct journal_entry *entry)
{
    static const struct operation unknown = {"", take_body, 0, 0};
    for (size_t i = 0; entry->operation_id && i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].id, entry->operation_id) == 0)
            return &operations[i];
    return &unknown;
}

static int fill(struct rule_request *rules)
{
    struct journal_request *self = (struct journal_request *)rules;
    const char *slug = rules->scenario_slug; /* which the path says */
    int status = find_operation(self->entry)->take(self);
    if (status == 0)
        input_fill(rules, self->input);
    if (slug)
        rules->scenario_slug = slug;
    return status;
}

/* -- the whole --------------------------------------------------------------------------------- */

const char *journal_request_part(const struct journal_request *self, size_t index)
{
    return index < self->path.count ? self->path.segments[index] : NULL;
}

int journal_request_init(struct journal_request *self, const struct journal_entry *entry,
                         struct db *db, int64_t workspace)
{
    const struct operation *operation = find_operation(entry);
    bool too_many;
    *self = (struct journal_request){.entry = entry, .db = db, .workspace = workspace};
    self->rules.operation = entry->operation;
    self->rules.header = header;
    self->rules.fill = fill;
    self->rules.job = *entry->job ? entry->job : NULL;
    self->text = strdup(entry->path ? entry->path : "");
    if (!self->text)
        return ERR_NO_MEMORY;
    if (!path_split(self->text, &self->path, &too_many))
        self->path.count = 0;
    if (operation->project)
        self->rules.project = journal_request_part(self, operation->project);
    if (operation->slug)
        self->rules.scenario_slug = journal_request_part(self, operation->slug);
    return 0;
}

void journal_request_finish(struct journal_request *self)
{
    json_decref(self->input);
    free(self->text);
}

int journal_request_body(struct journal_request *self, const json_t **ret_body)
{
    int status = rule_request_fill(&self->rules);
    if (status == 0)
        *ret_body = self->rules.body;
    return status;
}
