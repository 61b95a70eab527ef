/* getInfo: what this server is, how it was started, and what it assumes. */
#include "base/json.h"
#include "control/assumed.h"
#include "control/internal.h"
#include "http/respond.h"

static void put_rule(struct buf *out, const struct assumed_rule *rule)
{
    buf_printf(out, "{\"id\":\"%s\",\"basis\":[", rule->id);
    for (const char *letter = rule->basis; *letter; letter++)
        buf_printf(out, letter == rule->basis ? "\"%c\"" : ",\"%c\"", *letter);
    buf_puts(out, "],\"summary\":");
    json_put_text(out, rule->summary);
    buf_putc(out, '}');
}

void info_handler(struct request *request)
{
    const struct control_options *options = &control_of(request)->options;
    struct buf body = BUF_INIT;
    buf_puts(&body, "{\"version\":");
    json_put_text(&body, options->version);
    buf_printf(&body, ",\"options\":%s,\"assumed_rules\":[", options->options_json);
    for (size_t i = 0; i < assumed_rule_count; i++) {
        buf_puts(&body, i ? "," : "");
        put_rule(&body, &assumed_rules[i]);
    }
    buf_puts(&body, "]}");
    respond(request, 200, content_type_json, &body);
}
