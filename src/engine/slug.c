/* Slugs (S24). Compatibility decomposition parts a letter from its accents; the few Latin letters
 * that Unicode does not take apart are in a table. */
#include "engine/generator.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* NFKD of a name: eighteenfold at most, and then of one rare ligature; threefold is ordinary, and
 * what needs more is as good as without a slug. */
enum { DECOMPOSED_SIZE = 4 * GENERATOR_NAME_SIZE };

static const struct {
    ucs4_t letter;
    const char *ascii;
} folds[] = {
    {0xc6, "ae"},   {0xe6, "ae"},    {0xd0, "d"},   {0xf0, "d"},        {0xd8, "o"},  {0xf8, "o"},
    {0xde, "th"},   {0xfe, "th"},    {0xdf, "ss"},  {0x1e9e, "ss"},     {0x110, "d"}, {0x111, "d"},
    {0x126, "h"},   {0x127, "h"},    {0x131, "i"},  {0x138, "k"},       {0x141, "l"}, {0x142, "l"},
    {0x14a, "ng"},  {0x14b, "ng"},   {0x152, "oe"}, {0x153, "oe"},      {0x166, "t"}, {0x167, "t"},
    {0x180, "b"},   {0x189, "d"},    {0x192, "f"},  {0x197, "i"},       {0x268, "i"}, {0x19a, "l"},
    {0x1b5, "z"},   {0x1b6, "z"},    {0x18f, "e"},  {0x259, "e"},       {0x186, "o"}, {0x254, "o"},
    {0x190, "e"},   {0x25b, "e"},    {0x199, "k"},  {0x1b4, "y"},       {0x253, "b"}, {0x257, "d"},
    {'&', "-and-"}, {'+', "-plus-"}, {'@', "-at-"}, {'%', "-percent-"},
};

struct slug {
    char bytes[GENERATOR_SLUG_SIZE];
    size_t len;
    size_t kept, lost; /* letters and digits with an ASCII form, and without */
    bool full;
};

static void put(struct slug *slug, char c)
{
    if (c == '-' && (slug->len == 0 || slug->bytes[slug->len - 1] == '-'))
        return;
    if (slug->len < GENERATOR_SLUG_SIZE - 1)
        slug->bytes[slug->len++] = c;
    else
        slug->full = true;
}

static const char *fold(ucs4_t c)
{
    for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++)
        if (folds[i].letter == c)
            return folds[i].ascii;
    return NULL;
}

static bool add_ascii(struct slug *slug, ucs4_t c)
{
    if (c >= 'A' && c <= 'Z')
        c += 'a' - 'A';
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
        return false;
    put(slug, (char)c);
    slug->kept++;
    return true;
}

static void add(struct slug *slug, ucs4_t c)
{
    if (add_ascii(slug, c))
        return;
    const char *folded = fold(c);
    if (folded) {
        for (; *folded; folded++)
            put(slug, *folded);
        slug->kept += c > 0x7f;
    } else if (c == '\'' || c == 0x2019 || uc_is_general_category(c, UC_CATEGORY_M)) {
        return; /* "O'Brien" is one word, and an accent is no letter */
    } else {
        slug->lost += uc_is_general_category(c, UC_CATEGORY_L);
        put(slug, '-');
    }
}

/* A slug that was too long loses the word it was cut in. */
static void trim(struct slug *slug)
{
    size_t cut = slug->len;
    if (slug->full)
        while (cut > 0 && slug->bytes[cut - 1] != '-')
            cut--;
    if (cut > 0)
        slug->len = cut;
    while (slug->len > 0 && slug->bytes[slug->len - 1] == '-')
        slug->len--;
}

bool generator_slug(const char *name, char ret_slug[GENERATOR_SLUG_SIZE])
{
    uint8_t decomposed[DECOMPOSED_SIZE];
    size_t len = sizeof decomposed;
    uint8_t *text = u8_normalize(UNINORM_NFKD, (const uint8_t *)name,
                                 strnlen(name, GENERATOR_NAME_SIZE), decomposed, &len);
    struct slug slug = {.len = 0};
    for (size_t at = 0; text && at < len && !slug.full;) {
        ucs4_t c;
        int used = u8_mbtouc(&c, text + at, len - at);
        at += used > 0 ? (size_t)used : 1;
        add(&slug, c);
    }
    if (text != decomposed)
        free(text);
    trim(&slug);
    if (slug.kept == 0 || slug.len == 0 || slug.lost > slug.kept)
        return false;
    memcpy(ret_slug, slug.bytes, slug.len);
    ret_slug[slug.len] = '\0';
    return true;
}
