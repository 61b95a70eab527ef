/* Case goes by parts: a hyphen, a slash, or the apostrophe of "O'Brien" and "l'appel" begins a new
 * one. Single-character mappings serve, with the two exceptions that names meet (Turkish i, Greek
 * final sigma): a word then keeps its length, nearly, and no allocation is needed. */
#include "engine/generator_case.h"

#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unigbrk.h>
#include <unistr.h>
#include <uniwbrk.h>

enum {
    /* Characters that read as long as a word: of ideographs and kana, and of Thai and its kin. */
    IDEOGRAPHS_PER_TWO_WORDS = 5,
    LETTERS_PER_TWO_WORDS = 11
};

static size_t shorten(const char *bytes, size_t len, size_t limit)
{
    if (len <= limit)
        return len;
    const uint8_t *start = (const uint8_t *)bytes, *at = start, *end = start + len;
    const uint8_t *fits = start;
    while (at < end) {
        at = u8_grapheme_next(at, end);
        if (!at || (size_t)(at - start) > limit)
            break;
        fits = at;
    }
    if (fits > start)
        return (size_t)(fits - start);
    /* One character of more code points than any script needs: the last resort. */
    while (limit > 0 && (start[limit] & 0xc0) == 0x80)
        limit--;
    return limit;
}

static bool upper(ucs4_t c)
{
    return c < 0x80 ? c >= 'A' && c <= 'Z' : uc_is_property_uppercase(c);
}

static bool apostrophe(ucs4_t c)
{
    return c == '\'' || c == 0x2019;
}

static ucs4_t raise(ucs4_t c, enum language language)
{
    if (language == LANGUAGE_TURKISH && c == 'i')
        return 0x130;
    return uc_totitle(c);
}

static ucs4_t drop(ucs4_t c, enum language language, bool last)
{
    if (language == LANGUAGE_TURKISH && c == 'I')
        return 0x131;
    if (c == 0x3a3 && last)
        return 0x3c2;
    return uc_tolower(c);
}

struct part {
    size_t end;  /* offset of the mark that ends it, or of the word's end */
    bool elided; /* "l" of "l'appel", "O" of "O'Brien" */
};

/* How many letters an elided word has at most. */
static size_t elision_max(enum language language)
{
    return language == LANGUAGE_ITALIAN ? 5 : language == LANGUAGE_FRENCH ? 2 : 1;
}

static struct part part_at(const char *word, size_t at, size_t len, enum language language)
{
    size_t letters = 0;
    for (size_t used; at < len; at += used, letters++) {
        ucs4_t c;
        used = text_character(word, at, len, &c);
        if (c == '-' || c == '/' || c == '&' || c == 0x2010 || c == 0x2011)
            break;
        if (apostrophe(c) && letters > 0 && letters <= elision_max(language) &&
            len - at - used >= 3)
            return (struct part){at, true};
    }
    return (struct part){at, false};
}

/* Whether capitals inside a part carry meaning: "iPhone", "CRM", "McDonald". */
static bool mixed(const char *part, size_t len)
{
    for (size_t at = 0, used; at < len; at += used) {
        ucs4_t c;
        used = text_character(part, at, len, &c);
        if (at > 0 && upper(c))
            return true;
    }
    return false;
}

static bool small_part(const char *part, size_t len, enum language language)
{
    int entry = words_find(words_hash(WORDS_HASH_START, part, len), part, len);
    uint32_t classes = words_meaning(entry, language);
    return (classes & WORD_SMALL) && !(classes & WORD_PARTICLE);
}

struct writer {
    char *word;
    size_t len;
};

static void put(struct writer *writer, ucs4_t c)
{
    if (c < 0x80) {
        if (writer->len < CASE_WORD_SIZE - 1)
            writer->word[writer->len++] = (char)c;
        return;
    }
    int used = u8_uctomb((uint8_t *)writer->word + writer->len, c,
                         (ptrdiff_t)(CASE_WORD_SIZE - 1 - writer->len));
    writer->len += used > 0 ? (size_t)used : 0;
}

static void write_part(struct writer *writer, const char *part, size_t len, bool low, bool shout,
                       enum language language)
{
    bool first = true, keep = !shout && mixed(part, len);
    for (size_t at = 0, used; at < len; at += used, first = false) {
        ucs4_t c;
        used = text_character(part, at, len, &c);
        if (!keep && first && !low)
            put(writer, raise(c, language));
        else if (!keep && (low || shout))
            put(writer, drop(c, language, at + used == len && !first));
        else
            put(writer, c);
    }
}

static void write_parts(struct writer *writer, const char *word, size_t len,
                        struct case_style style, enum language language)
{
    for (size_t at = 0; at < len;) {
        struct part part = part_at(word, at, len, language);
        bool inner = at > 0 && part.end < len && !part.elided;
        bool low = style.low || (inner && small_part(word + at, part.end - at, language)) ||
                   (part.elided && !style.first && language != LANGUAGE_ENGLISH);
        write_part(writer, word + at, part.end - at, low, style.shout, language);
        at = part.end;
        if (at < len) {
            ucs4_t c;
            at += text_character(word, at, len, &c);
            put(writer, c);
        }
    }
}

static int spelling(int entry, enum language language)
{
    for (; entry != WORDS_NONE; entry = words_next(entry))
        if (words_language(entry) == language && (words_classes(entry) & WORD_SPELLING))
            return entry;
    return WORDS_NONE;
}

size_t case_write(const struct text *text, const struct token *token, struct case_style style,
                  char ret_word[CASE_WORD_SIZE])
{
    const char *word = text->bytes + token->start;
    size_t len =
        shorten(word, token->len, token->spaceless ? CASE_WORD_SIZE - 1 : CASE_LONGEST_WORD);
    struct writer writer = {.word = ret_word};
    int entry = spelling(token->entry, text->language);
    if (style.it) {
        static const char it[] = {'I', 'T'};
        memcpy(ret_word, it, sizeof it);
        return sizeof it;
    }
    if (entry != WORDS_NONE && (style.shout || !mixed(word, len))) {
        const char *spelt = words_text(entry, &len);
        memcpy(ret_word, spelt, len);
        return len;
    }
    if (token->kind != TOKEN_WORD) {
        memcpy(ret_word, word, len);
        return len;
    }
    write_parts(&writer, word, len, style, text->language);
    return writer.len;
}

/* Spaceless scripts. */

static bool ideographic(ucs4_t c)
{
    /* Katakana spell words out, as letters do. */
    return c >= 0x2e80 && !(c >= 0x30a0 && c <= 0x30ff);
}

static unsigned weigh(const char *bytes, size_t len)
{
    unsigned ideographs = 0, letters = 0;
    for (size_t at = 0, used; at < len; at += used) {
        ucs4_t c;
        used = text_character(bytes, at, len, &c);
        if (ideographic(c))
            ideographs++;
        else if (c < 0x80 || !uc_is_general_category_withtable(c, UC_CATEGORY_MASK_M))
            letters++;
    }
    unsigned halves =
        ideographs * 2 * LETTERS_PER_TWO_WORDS + letters * 2 * IDEOGRAPHS_PER_TWO_WORDS;
    unsigned whole = LETTERS_PER_TWO_WORDS * IDEOGRAPHS_PER_TWO_WORDS;
    return (halves + whole - 1) / whole;
}

unsigned case_weight(const struct text *text, const struct token *token)
{
    return token->spaceless ? weigh(text->bytes + token->start, token->len) : 1;
}

static bool hiragana(ucs4_t c)
{
    return c >= 0x3041 && c <= 0x309f;
}

/* Words that tie what stands before them to what follows, in Chinese and Japanese; a name does not
 * end in one. */
static bool tie(ucs4_t c)
{
    static const ucs4_t ties[] = {0x7684, 0x548c, 0x4e0e, 0x53ca, 0x5e76, 0x5728,
                                  0x5bf9, 0x5411, 0x306e, 0x3068, 0x3092, 0x306b,
                                  0x306f, 0x304c, 0x3067, 0x3078, 0x3082, 0};
    for (size_t i = 0; ties[i]; i++)
        if (ties[i] == c)
            return true;
    return false;
}

/* Thai and Lao vowels that are written before their consonant. */
static bool leading_vowel(ucs4_t c)
{
    return (c >= 0x0e40 && c <= 0x0e44) || (c >= 0x0ec0 && c <= 0x0ec4);
}

/* What asks for a scenario where no space parts it from what it asks for. Longer ones first: the
 * first that fits is taken. */
static const char *const prefixes[] = {"请帮我",
                                       "請幫我",
                                       "帮我",
                                       "幫我",
                                       "请",
                                       "請",
                                       "我需要",
                                       "我想要",
                                       "创建",
                                       "創建",
                                       "生成",
                                       "设计",
                                       "設計",
                                       "制作",
                                       "製作",
                                       "编写",
                                       "做",
                                       "一个",
                                       "一個",
                                       "一场",
                                       "关于",
                                       "關於",
                                       "สร้างสถานการณ์จำลอง",
                                       "สร้างสถานการณ์",
                                       "กรุณา",
                                       "ช่วย",
                                       "สร้าง",
                                       NULL};
static const char *const suffixes[] = {
    "してください", "して下さい", "をお願いします", "を作成",         "を生成",   "を作って",
    "ください",     "作成",       "のシナリオ",     "のロールプレイ", "シナリオ", "的场景",
    "的場景",       "的情景",     "场景",           "場景",           "的剧本",   NULL};

static size_t affix(const char *bytes, size_t len, const char *const *affixes, bool at_end)
{
    for (; *affixes; affixes++) {
        size_t size = strlen(*affixes);
        /* Two characters have to stay. */
        if (size + 6 <= len && memcmp(bytes + (at_end ? len - size : 0), *affixes, size) == 0)
            return size;
    }
    return 0;
}

void case_strip(const struct text *text, struct token *token)
{
    size_t size;
    while ((size = affix(text->bytes + token->start, token->len, prefixes, false))) {
        token->start = (uint16_t)(token->start + size);
        token->len = (uint16_t)(token->len - size);
    }
    while ((size = affix(text->bytes + token->start, token->len, suffixes, true)))
        token->len = (uint16_t)(token->len - size);
}

void case_shorten(const struct text *text, struct token *token, unsigned weight)
{
    /* Longer tokens are cut by bytes first; a name's word never needs more. */
    char breaks[4 * CASE_WORD_SIZE];
    const char *bytes = text->bytes + token->start;
    size_t len = shorten(bytes, token->len, sizeof breaks);
    size_t fits = 0, good = 0;
    ucs4_t before = 0;
    u8_wordbreaks((const uint8_t *)bytes, len, breaks);
    for (size_t at = 0, used; at < len; at += used) {
        ucs4_t c;
        used = text_character(bytes, at, len, &c);
        if (at >= CASE_WORD_SIZE || weigh(bytes, at) > weight)
            break;
        if (at > 0 && breaks[at] && !leading_vowel(before)) {
            fits = at;
            if ((hiragana(before) && !hiragana(c)) || (!hiragana(c) && tie(c)))
                good = at;
        }
        before = c;
    }
    if (good * 2 >= fits)
        fits = good ? good : fits;
    if (fits == 0)
        fits = shorten(bytes, token->len, CASE_WORD_SIZE - 1);
    for (size_t last = fits; last > 3 && fits > 6; last = fits) {
        ucs4_t c;
        text_character(bytes, last - 3, fits, &c);
        if (!tie(c))
            break;
        fits = last - 3;
    }
    token->len = (uint16_t)fits;
}
