/* A token is skipped in a class, by what it can be, what was skipped before it, and what follows:
 * "need" after "I", "design" before "a", "about" after "scenario". The first that no rule skips is
 * where the name begins. */
#include "engine/generator_lead.h"

#include <string.h>

struct lead {
    const struct text *text;
    size_t at, end;
    uint32_t last; /* classes in which the last skipped token was skipped, 0 at the start */
};

static uint32_t classes_at(const struct lead *lead, size_t at)
{
    return at < lead->end ? lead->text->tokens[at].classes : 0;
}

/* Whether "scenario" comes within a few words: then even "design" asks for it. */
static bool scaffold_follows(const struct lead *lead, size_t at)
{
    for (size_t i = at; i < lead->end && i < at + 6; i++) {
        uint32_t classes = lead->text->tokens[i].classes;
        if (classes & WORD_SCAFFOLD)
            return true;
        if (classes & (WORD_WITH | WORD_FOR | WORD_ABOUT | WORD_PLACE))
            return false;
    }
    return false;
}

static bool fillers_then_scaffold(const struct lead *lead, size_t at)
{
    while (classes_at(lead, at) & WORD_FILLER)
        at++;
    return classes_at(lead, at) & WORD_SCAFFOLD;
}

static uint32_t skip_asking(const struct lead *lead, uint32_t classes, uint32_t next)
{
    const uint32_t asker = WORD_PRONOUN | WORD_OPENER | WORD_AUX | WORD_TO;
    const uint32_t asked = WORD_VERB | WORD_WEAK | WORD_DRILL;
    uint32_t last = lead->last;
    if ((classes & WORD_PRONOUN) && ((next & (WORD_AUX | WORD_WANT)) || (last & WORD_AUX)))
        return WORD_PRONOUN;
    if ((classes & WORD_AUX) && ((last & asker) || (next & WORD_PRONOUN)))
        return WORD_AUX;
    if ((classes & WORD_WANT) && ((last & asker) || (next & (WORD_DET | WORD_TO | WORD_SCAFFOLD))))
        return WORD_WANT;
    if ((classes & WORD_ME) && (last & (asked | WORD_AUX | WORD_WANT)))
        return WORD_ME;
    if ((classes & WORD_TO) && (last & (WORD_WANT | WORD_AUX | WORD_OPENER | WORD_ME)))
        return WORD_TO;
    return 0;
}

static uint32_t skip_verb(const struct lead *lead, uint32_t classes, uint32_t next, size_t next_at)
{
    uint32_t asks = classes & (WORD_VERB | WORD_OPENER);
    if (asks)
        return asks;
    /* "Make the customer harder" changes one that is there. */
    bool definite = next && text_key_is(lead->text, &lead->text->tokens[next_at], "the");
    if ((classes & WORD_WEAK) && (((next & (WORD_DET | WORD_ME | WORD_SCAFFOLD)) && !definite) ||
                                  scaffold_follows(lead, next_at)))
        return WORD_WEAK;
    if ((classes & WORD_DRILL) && !(classes & WORD_SCAFFOLD && next & WORD_SCAFFOLD) &&
        (lead->last || (next & WORD_DET)))
        return classes & (WORD_DRILL | WORD_SCAFFOLD);
    return 0;
}

static uint32_t skip_frame(const struct lead *lead, uint32_t classes, size_t next_at)
{
    const struct token *token = &lead->text->tokens[lead->at];
    bool ends = next_at >= lead->end;
    ucs4_t mark = ends ? 0 : lead->text->tokens[next_at].mark;
    if ((classes & WORD_LABEL) && (mark == ':' || (ends && lead->at == 0)))
        return WORD_LABEL;
    if (classes & WORD_SCAFFOLD)
        return WORD_SCAFFOLD;
    if ((classes & WORD_LINK) && (lead->last & WORD_SCAFFOLD))
        return WORD_LINK;
    if ((classes & WORD_LINKVERB) && (lead->last & (WORD_LINK | WORD_SCAFFOLD)))
        return WORD_LINKVERB;
    if ((classes & WORD_FILLER) && fillers_then_scaffold(lead, lead->at))
        return WORD_FILLER;
    /* "Scenario 3: …" */
    if ((lead->last & (WORD_SCAFFOLD | WORD_LABEL)) && token->len <= 2 && mark == ':' &&
        lead->text->bytes[token->start] >= '0' && lead->text->bytes[token->start] <= '9')
        return WORD_LABEL;
    return 0;
}

/* In what class the token at the lead's end is to be skipped, 0 for not at all. */
static uint32_t lead_rule(const struct lead *lead)
{
    const struct token *token = &lead->text->tokens[lead->at];
    size_t next_at = lead->at + token->span;
    uint32_t classes = token->classes, next = classes_at(lead, next_at), rule;
    if (token->kind != TOKEN_WORD)
        return WORD_POLITE;
    if ((rule = classes & (WORD_GREETING | WORD_POLITE)))
        return rule;
    if ((rule = skip_asking(lead, classes, next)) ||
        (rule = skip_verb(lead, classes, next, next_at)) ||
        (rule = skip_frame(lead, classes, next_at)))
        return rule;
    return (classes & WORD_DET) && next_at < lead->end ? WORD_DET : 0;
}

/* "Hi team," and "Dear Sir or Madam,": whom one greets goes with the greeting. */
static size_t addressee_end(const struct lead *lead, size_t at)
{
    for (size_t i = at; i < lead->end && i <= at + 4; i++)
        if (lead->text->tokens[i].before == BREAK_CLAUSE)
            return i;
    return lead->end - at <= 3 && lead->end < lead->text->count ? lead->end : at;
}

/* "d'" of "un scénario d'appel" goes with the scenario. */
static void skip_elision(struct text *text, size_t at)
{
    struct token *token = &text->tokens[at];
    if (token->key_len <= 3 || memcmp(text->keys + token->key, "d'", 2) != 0)
        return;
    size_t mark = text->bytes[token->start + 1] == '\'' ? 1 : 3;
    token->start = (uint16_t)(token->start + 1 + mark);
    token->len = (uint16_t)(token->len - 1 - mark);
}

size_t lead_skip(struct text *text, size_t start, size_t end)
{
    struct lead lead = {.text = text, .at = start, .end = end};
    while (lead.at < end) {
        uint32_t rule = lead_rule(&lead);
        if (!rule)
            break;
        lead.at += text->tokens[lead.at].span;
        if (rule & WORD_GREETING)
            lead.at = addressee_end(&lead, lead.at);
        if (!(rule & (WORD_DET | WORD_POLITE | WORD_GREETING)) || (lead.last & WORD_SCAFFOLD))
            lead.last = rule;
    }
    if (lead.at < end && (lead.last & (WORD_SCAFFOLD | WORD_LINK)))
        skip_elision(text, lead.at);
    return lead.at < end ? lead.at : end;
}
