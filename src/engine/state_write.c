/* Writing a workspace down (engine/state.h). */
#include "engine/state.h"

#include "base/duration.h"
#include "base/json.h"
#include "base/time.h"
#include "engine/rule_set.h"
#include "engine/settings.h"
#include "engine/state_fields.h"

#include <stdio.h>
#include <string.h>

struct writing {
    struct buf *out;
    const struct state_list *list;
    const char *prefix; /* of the workspace's urls, which its name decides, not its state */
    const struct rule_set *rules;
    bool reveal;
    const char *separator;
};

/* Takes back the comma that follows the last field. */
static void end_object(struct buf *out)
{
    if (out->len && out->data[out->len - 1] == ',')
        out->len--;
    buf_putc(out, '}');
}

static void cut_prefix(struct snapshot_value *base, const char *prefix)
{
    size_t len = strlen(prefix);
    if (len && base->len > len && memcmp(base->text + base->len - len, prefix, len) == 0)
        base->len -= len;
}

/* What only memory has counted: the hits of rules that are never used up, and all of a watch. */
static void count_rule(struct snapshot_value *values, const struct rule_set *rules)
{
    char id[RULE_ID_SIZE];
    snprintf(id, sizeof id, "%.*s", (int)values[STATE_RULE_ID].len, values[STATE_RULE_ID].text);
    const struct rule *rule = rules ? rule_set_find(rules, id) : NULL;
    if (!rule)
        return;
    int64_t hits = atomic_load(&rule->hit_count);
    if (hits > values[STATE_RULE_HITS].number)
        values[STATE_RULE_HITS].number = hits;
    if (rule->kind != RULE_WATCH)
        return;
    if (!values[STATE_RULE_LEFT].is_null)
        values[STATE_RULE_LEFT].number = atomic_load(&rule->left);
    values[STATE_RULE_SKIP].number = atomic_load(&rule->skip_left);
}

static int put_row(struct snapshot_value *values, void *arg)
{
    struct writing *writing = arg;
    struct buf *out = writing->out;
    size_t count = writing->list->count;
    int base = state_base_place(writing->list->table);
    if (base >= 0)
        cut_prefix(&values[base], writing->prefix);
    if (writing->list->table == SNAPSHOT_RULES)
        count_rule(values, writing->rules);
    buf_printf(out, "%s{", writing->separator);
    writing->separator = ",\n";
    state_put_fields(out, writing->list->fields, count, values, writing->reveal);
    if (writing->list->table == SNAPSHOT_JOBS && values[count].number & JOB_HAS_PLAN) {
        buf_puts(out, "\"plan\":{");
        state_put_fields(out, state_plan_fields, state_plan_field_count, values + count + 1,
                         writing->reveal);
        end_object(out);
    }
    end_object(out);
    return buf_failed(out) ? ERR_NO_MEMORY : 0;
}

static int put_list(struct db *db, const struct workspace_row *row, const struct state_list *list,
                    const struct rule_set *rules, bool reveal, struct buf *out)
{
    char prefix[STATE_PREFIX_SIZE];
    struct writing writing = {out, list, prefix, rules, reveal, "\n"};
    state_url_prefix(row, prefix);
    buf_printf(out, ",\n\"%s\":[", list->name);
    int status = snapshot_each(db, list->table, row->pk, put_row, &writing);
    buf_puts(out, "]");
    return status;
}

static void put_time(struct buf *out, const char *name, int64_t ms)
{
    char text[TIME_TEXT_SIZE];
    time_format_millis(ms, text);
    buf_printf(out, "\"%s\":\"%s\"", name, text);
}

static void put_clock(struct buf *out, const struct clock_row *clock)
{
    buf_printf(out, "\"clock\":{\"mode\":\"%s\"", clock_mode_name(clock->mode));
    if (clock->mode == CLOCK_SCALED) {
        buf_puts(out, ",\"scale\":");
        json_put_real(out, clock->scale);
    }
    if (clock->mode != CLOCK_REAL || clock->base != clock->anchor) { /* else it is real time */
        buf_putc(out, ',');
        put_time(out, "now", clock->base);
        buf_putc(out, ',');
        put_time(out, "at", clock->anchor);
    }
    buf_putc(out, '}');
}

static void put_head(struct buf *out, const struct workspace_row *row, bool reveal)
{
    char ttl[DURATION_TEXT_SIZE];
    buf_printf(out, "{\"version\":%d,\n\"workspace\":{\"slug\":", STATE_VERSION);
    json_put_text(out, row->slug);
    buf_puts(out, ",\"name\":");
    json_put_text(out, row->name);
    buf_puts(out, ",\"project_id\":");
    json_put_text(out, row->project_id);
    buf_printf(out, ",\"active\":%s,\"ttl\":", row->active ? "true" : "false");
    duration_format(row->ttl, ttl);
    json_put_text(out, row->ttl ? ttl : NULL);
    buf_puts(out, "},\n");
    put_clock(out, &row->clock);
    buf_printf(out, ",\n\"seed\":%s,\"draws\":%lld,", *row->seed ? row->seed : "null",
               (long long)row->draws);
    put_time(out, "room_since", row->settings.room_since);
    buf_puts(out, ",\n\"settings\":"); /* its own ones: what is the server's stays so */
    settings_put(
        out, &row->settings,
        &(struct settings_view){.secrets = reveal ? SECRETS_SHOWN_WHOLE : SECRETS_LEFT_OUT});
}

/* -- who may use it ---------------------------------------------------------------------------- */

static int put_key(const struct key_row *row, void *arg)
{
    struct writing *writing = arg;
    struct buf *out = writing->out;
    buf_printf(out, "%s{\"id\":", writing->separator);
    json_put_text(out, row->id);
    buf_puts(out, ",\"sha256\":\"");
    for (size_t i = 0; i < sizeof row->hash; i++)
        buf_printf(out, "%02x", row->hash[i]);
    buf_puts(out, "\",\"last4\":");
    json_put_text(out, row->last4);
    buf_printf(out, ",\"active\":%s,", row->active ? "true" : "false");
    put_time(out, "created_at", row->created_at);
    buf_putc(out, '}');
    writing->separator = ",\n";
    return 0;
}

static int put_member(const struct member_row *row, void *arg)
{
    struct writing *writing = arg;
    buf_puts(writing->out, writing->separator);
    json_put_text(writing->out, row->email);
    writing->separator = ",";
    return 0;
}

static int put_access(struct db *db, int64_t pk, struct buf *out)
{
    struct writing keys = {.out = out, .separator = "\n"}, members = {.out = out, .separator = ""};
    buf_puts(out, ",\n\"keys\":[");
    int status = key_each_of(db, pk, put_key, &keys);
    buf_puts(out, "],\n\"members\":[");
    if (status == 0)
        status = member_each_of(db, pk, put_member, &members);
    buf_putc(out, ']');
    return status;
}

static int put_all(struct db *db, int64_t pk, const struct rule_set *rules, bool access,
                   bool reveal, struct buf *out)
{
    struct workspace_row row;
    int status = workspace_read(db, pk, &row);
    if (status < 0)
        return status;
    put_head(out, &row, reveal);
    if (access)
        status = put_access(db, pk, out);
    for (size_t i = 0; status == 0 && i < SNAPSHOT_TABLES; i++)
        status = put_list(db, &row, &state_lists[i], rules, reveal, out);
    buf_puts(out, "}\n");
    return status == 0 && buf_failed(out) ? ERR_NO_MEMORY : status;
}

int state_write(struct db *db, int64_t pk, const struct rule_set *rules, bool reveal,
                struct buf *out)
{
    int status = db_hold(db);
    if (status < 0)
        return status;
    status = put_all(db, pk, rules, true, reveal, out);
    db_let_go(db);
    return status;
}

int state_remember(struct db *db, int64_t pk)
{
    struct buf document = BUF_INIT;
    int status = put_all(db, pk, NULL, false, true, &document);
    if (status == 0)
        status = workspace_set_origin(db, pk, document.data, document.len);
    buf_finish(&document);
    return status;
}
