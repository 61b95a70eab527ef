/* How a name comes about.
 *
 *   read     the prompt becomes tokens with classes (generator_text, generator_words)
 *   lead     of each sentence, the words that only ask for a scenario are skipped (generator_lead)
 *   collect  its words follow, without articles, up to a relative clause or a clause's end
 *   choose   parted before prepositions, its chunks are taken by how much they tell, the first one
 *            always, up to eight words
 *   write    in Title Case (generator_case)
 *
 * A sentence that leaves fewer than three words is continued by the next. When nothing is left at
 * all ("Create a scenario") the prompt's own words are the name. Every step walks the tokens
 * forward once, or a bounded few times. */
#include "engine/generator.h"

#include "engine/generator_case.h"
#include "engine/generator_lead.h"

#include <string.h>
#include <unictype.h>
#include <unistr.h>

enum {
    WORDS_MIN = 3,
    WORDS_MAX = 8,
    /* Words collected to choose from: beyond, a sentence is telling a story. */
    ITEMS_MAX = 28,
    /* Sentences looked at for the three words. */
    SENTENCES_MAX = 6
};

/* A word that may go into the name. */
struct item {
    const struct token *token;
    ucs4_t mark; /* punctuation before it, 0 for none */
    unsigned weight;
    bool starts_sentence;
};

/* A run of items that is taken or left as one. */
struct chunk {
    size_t start, end;
    int rank;
    bool bound; /* qualifies the chunk before it: not taken without it */
    bool taken;
};

struct plan {
    struct text *text;
    struct item items[ITEMS_MAX];
    size_t count;    /* items chosen */
    unsigned weight; /* their words */
    bool cut;        /* the last one is not where its sentence ends */
};

bool generator_can_name(const char *prompt, size_t len)
{
    for (size_t at = 0, used; at < len; at += used) {
        ucs4_t c;
        used = text_character(prompt, at, len, &c);
        if (text_nameable(c))
            return true;
    }
    return false;
}

static size_t sentence_end(const struct text *text, size_t start)
{
    size_t end = start + 1;
    while (end < text->count && text->tokens[end].before != BREAK_SENTENCE)
        end++;
    return end;
}

/* Collect. */

/* "A" that is a name: "Plan A", "Series A funding". */
static bool letter_a(const struct text *text, const struct token *token, size_t at, size_t end)
{
    if (text->bytes[token->start] != 'A' || token->len != 1 || at == 0)
        return false;
    const char *next = at + 1 < end ? text->bytes + text->tokens[at + 1].start : "a";
    return *next >= 'a' && *next <= 'z';
}

/* "scenario" within a sentence goes where what stands before it can do without: "discovery call
 * scenario with", but not "refund scenario". */
static bool scaffold_goes(const struct item *items, size_t count, bool last)
{
    size_t run = 0;
    while (run < count && !(items[count - 1 - run].token->classes & (WORD_SMALL | WORD_WITH)))
        run++;
    if (count == 0)
        return true;
    return run >= 2 || (run == 1 && (items[count - 1].token->classes & WORD_HEAD) && !last);
}

/* Whether a token within a sentence is left out of the name. */
static bool leaves_out(const struct plan *plan, const struct item *items, size_t count, size_t at,
                       size_t end)
{
    const struct text *text = plan->text;
    const struct token *token = &text->tokens[at];
    if (token->kind != TOKEN_WORD || token->aside)
        return true;
    if ((token->classes & WORD_ARTICLE) && at + 1 < end)
        return !letter_a(text, token, at, end);
    if (token->classes & WORD_SCAFFOLD)
        return scaffold_goes(items, count, at + token->span >= end);
    return token->classes & WORD_POLITE && token->before == BREAK_CLAUSE;
}

static bool stops(const struct token *token, unsigned weight)
{
    return weight >= WORDS_MIN && (token->before != BREAK_NONE || (token->classes & WORD_RELATIVE));
}

/* The words of a sentence that may go into the name; `ret_cut`: the sentence goes on after them. */
static size_t collect(struct plan *plan, size_t start, size_t end, struct item *items, size_t max,
                      bool *ret_cut)
{
    struct text *text = plan->text;
    unsigned weight = plan->weight;
    size_t count = 0;
    ucs4_t mark = 0;
    *ret_cut = false;
    for (size_t i = start; i < end; i++) {
        struct token *token = &text->tokens[i];
        if (count > 0 && stops(token, weight) && !token->aside)
            return count;
        if (count > 0 && token->before != BREAK_NONE && token->mark)
            mark = token->mark;
        if (leaves_out(plan, items, count, i, end)) {
            i += token->span - 1u;
            continue;
        }
        *ret_cut = count == max;
        if (count == max)
            break;
        if (token->spaceless)
            case_strip(text, token);
        items[count] = (struct item){token, mark, case_weight(text, token), count == 0};
        weight += items[count++].weight;
        mark = 0;
    }
    return count;
}

/* Choose. */

/* How much a chunk that opens with this token tells, 0 when it opens none. */
static int opener_rank(const struct item *item, const struct item *chunk, size_t so_far,
                       bool *ret_bound)
{
    uint32_t classes = item->token->classes;
    *ret_bound = classes & (WORD_AND | WORD_PLACE) || item->mark;
    if (item->mark)
        return item->mark == ':' ? 5 : 3;
    if (classes & WORD_WITH)
        return 5;
    if (classes & WORD_ABOUT)
        return 4;
    if (classes & WORD_AND)
        return so_far > 2 || (chunk->token->classes & WORD_PLACE) ? 4 : 0;
    if (classes & WORD_FOR)
        return 3;
    if (classes & WORD_PLACE)
        return 2;
    return 0;
}

static size_t part_chunks(const struct item *items, size_t count, struct chunk *chunks)
{
    size_t parts = 1;
    chunks[0] = (struct chunk){.rank = 6};
    for (size_t i = 1; i < count; i++) {
        bool bound;
        int rank = opener_rank(&items[i], &items[chunks[parts - 1].start],
                               i - chunks[parts - 1].start, &bound);
        if (!rank)
            continue;
        chunks[parts - 1].end = i;
        chunks[parts++] = (struct chunk){.start = i, .rank = rank, .bound = bound};
    }
    chunks[parts - 1].end = count;
    return parts;
}

static unsigned chunk_weight(const struct item *items, const struct chunk *chunk)
{
    unsigned weight = 0;
    for (size_t i = chunk->start; i < chunk->end; i++)
        weight += items[i].weight;
    return weight;
}

/* Takes whole chunks, the most telling first; answers the words that remain. */
static unsigned take_chunks(const struct item *items, struct chunk *chunks, size_t parts,
                            unsigned room)
{
    for (int rank = 6; rank > 0; rank--)
        for (size_t i = 0; i < parts; i++) {
            unsigned weight = chunk_weight(items, &chunks[i]);
            if (chunks[i].rank != rank || weight > room ||
                (chunks[i].bound && !chunks[i - 1].taken))
                continue;
            chunks[i].taken = true;
            room -= weight;
        }
    return room;
}

static void append(struct plan *plan, struct item item)
{
    plan->items[plan->count++] = item;
    plan->weight += item.weight;
}

/* As much of a chunk as fits; a word without spaces is shortened. */
static void append_cut(struct plan *plan, const struct item *items, const struct chunk *chunk)
{
    for (size_t i = chunk->start; i < chunk->end && plan->weight < WORDS_MAX; i++) {
        struct item item = items[i];
        unsigned room = WORDS_MAX - plan->weight;
        if (item.weight > room) {
            struct token *token = &plan->text->tokens[item.token - plan->text->tokens];
            case_shorten(plan->text, token, room);
            item.weight = room;
        }
        append(plan, item);
    }
    plan->cut = true;
}

static void choose(struct plan *plan, const struct item *items, size_t count, bool cut)
{
    struct chunk chunks[ITEMS_MAX];
    size_t parts = part_chunks(items, count, chunks);
    unsigned room = WORDS_MAX - plan->weight;
    unsigned left = take_chunks(items, chunks, parts, room);
    bool enough = chunks[0].taken && plan->weight + room - left >= WORDS_MIN;
    for (size_t i = 0; i < parts; i++) {
        if (chunks[i].taken) {
            for (size_t k = chunks[i].start; k < chunks[i].end; k++)
                append(plan, items[k]);
            plan->cut = cut || i + 1 < parts;
        } else if (!enough) {
            append_cut(plan, items, &chunks[i]);
            return;
        }
    }
}

/* A name does not end in a word that waits for another. */
static void trim(struct plan *plan)
{
    const uint32_t waits = WORD_SMALL | WORD_WITH | WORD_ABOUT | WORD_FOR | WORD_PLACE | WORD_AND |
                           WORD_DET | WORD_RELATIVE;
    while (plan->count > 1) {
        const struct token *last = plan->items[plan->count - 1].token;
        if (!(last->classes & waits) || (!plan->cut && (last->classes & WORD_PARTICLE)))
            return;
        plan->weight -= plan->items[--plan->count].weight;
    }
}

static size_t drop_trail(const struct text *text, size_t start, size_t end)
{
    while (end > start + 1 && (text->tokens[end - 1].classes & (WORD_TRAIL | WORD_POLITE)))
        end--;
    return end;
}

static void add_sentence(struct plan *plan, size_t start, size_t end)
{
    struct item items[ITEMS_MAX];
    bool cut;
    size_t count = collect(plan, start, drop_trail(plan->text, start, end), items,
                           ITEMS_MAX - plan->count, &cut);
    if (count == 0)
        return;
    if (plan->count > 0)
        items[0].mark = plan->items[plan->count - 1].mark == ':' ? ',' : ':';
    choose(plan, items, count, cut);
    trim(plan);
}

static void plan_sentences(struct plan *plan)
{
    struct text *text = plan->text;
    size_t start = 0, seen = 0;
    while (start < text->count && plan->weight < WORDS_MIN && seen < SENTENCES_MAX) {
        size_t end = sentence_end(text, start);
        size_t content = lead_skip(text, start, end);
        if (content < end) {
            add_sentence(plan, content, end);
            seen++;
        }
        start = end;
    }
}

/* The prompt's own words, when the rules leave none of them; then addresses; then symbols. */
static void plan_fallback(struct plan *plan)
{
    static const enum token_kind kinds[] = {TOKEN_WORD, TOKEN_ADDRESS, TOKEN_SYMBOL};
    struct text *text = plan->text;
    for (size_t k = 0; k < 3 && plan->count == 0; k++)
        for (size_t i = 0; i < text->count && plan->weight < WORDS_MAX; i++) {
            struct token *token = &text->tokens[i];
            if (token->kind != kinds[k])
                continue;
            unsigned room = WORDS_MAX - plan->weight, weight = case_weight(text, token);
            if (weight > room)
                case_shorten(text, token, weight = room);
            append(plan, (struct item){token, 0, weight, i == 0});
        }
    trim(plan);
}

/* Write. */

/* Whether the name's words are in capitals throughout, and that means nothing: there is one that is
 * too long for an acronym. */
static bool shouted(const struct plan *plan)
{
    bool longer = false;
    for (size_t i = 0; i < plan->count; i++) {
        const struct token *token = plan->items[i].token;
        size_t letters = 0;
        for (size_t at = 0, used; at < token->len; at += used) {
            ucs4_t c;
            used = text_character(plan->text->bytes + token->start, at, token->len, &c);
            letters++;
            if (uc_is_property_lowercase(c))
                return false;
        }
        longer = longer || (letters >= 6 && !token->spaceless);
    }
    return longer;
}

static bool means_it(const struct plan *plan, size_t i)
{
    return plan->text->language == LANGUAGE_ENGLISH && i + 1 < plan->count &&
           text_key_is(plan->text, plan->items[i].token, "it") &&
           (plan->items[i + 1].token->classes & WORD_IT_NOUN);
}

static struct case_style style_of(const struct plan *plan, size_t i, bool shout)
{
    const struct item *item = &plan->items[i];
    bool is_a = !shout && plan->text->language == LANGUAGE_ENGLISH && item->token->len == 1 &&
                plan->text->bytes[item->token->start] == 'A';
    bool edge = i == 0 || i + 1 == plan->count || item->mark == ':';
    return (struct case_style){.low = (item->token->classes & WORD_SMALL) &&
                                      item->token->span == 1 && !edge && !is_a,
                               .first = i == 0 || item->mark == ':',
                               .shout = shout,
                               .it = means_it(plan, i)};
}

static size_t write_mark(char *at, ucs4_t mark, bool spaceless)
{
    if (mark < 0x80) {
        size_t len = 0;
        if (mark)
            at[len++] = (char)mark;
        at[len++] = ' ';
        return len;
    }
    int used = u8_uctomb((uint8_t *)at, mark, 4);
    size_t len = used > 0 ? (size_t)used : 0;
    if (!spaceless || mark < 0x3000)
        at[len++] = ' ';
    return len;
}

/* An address is named by its host. */
static struct token host_of(const struct text *text, const struct token *token)
{
    struct token host = *token;
    const char *bytes = text->bytes + token->start;
    for (size_t i = 0; i + 3 < token->len; i++)
        if (memcmp(bytes + i, "://", 3) == 0) {
            host.start = (uint16_t)(token->start + i + 3);
            host.len = (uint16_t)(token->len - i - 3);
            break;
        }
    const char *slash = memchr(text->bytes + host.start, '/', host.len);
    if (slash && slash > text->bytes + host.start)
        host.len = (uint16_t)(slash - text->bytes - host.start);
    return host;
}

static void write_name(const struct plan *plan, char *ret_name)
{
    size_t len = 0;
    bool shout = shouted(plan);
    for (size_t i = 0; i < plan->count; i++) {
        const struct item *item = &plan->items[i];
        struct token token =
            item->token->kind == TOKEN_ADDRESS ? host_of(plan->text, item->token) : *item->token;
        char piece[CASE_WORD_SIZE + 8];
        size_t used = i > 0 ? write_mark(piece, item->mark, token.spaceless) : 0;
        char word[CASE_WORD_SIZE];
        size_t word_len = case_write(plan->text, &token, style_of(plan, i, shout), word);
        memcpy(piece + used, word, word_len);
        used += word_len;
        if (token.dot && i + 1 < plan->count && !(token.classes & WORD_WITH))
            piece[used++] = '.';
        if (len + used >= GENERATOR_NAME_SIZE)
            break;
        memcpy(ret_name + len, piece, used);
        len += used;
    }
    ret_name[len] = '\0';
}

void generator_name(const char *prompt, size_t len, char ret_name[GENERATOR_NAME_SIZE])
{
    struct text text;
    struct plan plan = {.count = 0};
    plan.text = &text;
    text_read(prompt, len, &text);
    plan_sentences(&plan);
    if (plan.count == 0)
        plan_fallback(&plan);
    write_name(&plan, ret_name);
    if (!ret_name[0])
        memcpy(ret_name, "Scenario", sizeof "Scenario");
}
