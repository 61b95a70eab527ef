/* The words the generator knows, and what each can mean in which language. Internal to the
 * generator; any thread may call. */
#ifndef UNDERSTUDY_ENGINE_GENERATOR_WORDS_H
#define UNDERSTUDY_ENGINE_GENERATOR_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* English is first: where the words do not decide, it is taken. */
enum language {
    LANGUAGE_ENGLISH,
    LANGUAGE_FRENCH,
    LANGUAGE_GERMAN,
    LANGUAGE_SPANISH,
    LANGUAGE_PORTUGUESE,
    LANGUAGE_ITALIAN,
    LANGUAGE_DUTCH,
    LANGUAGE_POLISH,
    LANGUAGE_TURKISH,
    LANGUAGE_VIETNAMESE,
    LANGUAGE_RUSSIAN,
    LANGUAGE_GREEK,
    LANGUAGE_ARABIC,
    LANGUAGE_HEBREW,
    LANGUAGE_KOREAN,
    LANGUAGE_HINDI,
    LANGUAGE_COUNT
};

/* What a word can be. The first group are words that ask for a scenario rather than describe it;
 * how they may follow one another is the lead rules's business. */
enum word_class {
    WORD_GREETING = 1u << 0,  /* "hello" */
    WORD_POLITE = 1u << 1,    /* "please" */
    WORD_PRONOUN = 1u << 2,   /* who asks, or is asked */
    WORD_OPENER = 1u << 3,    /* says nothing by itself: "I'm", "let's", "act as" */
    WORD_AUX = 1u << 4,       /* "could", "am" */
    WORD_WANT = 1u << 5,      /* "need" */
    WORD_SPELLING = 1u << 6,  /* is written as the table writes it */
    WORD_VERB = 1u << 7,      /* asks wherever it leads: "create" */
    WORD_WEAK = 1u << 8,      /* asks before an article, else may be a noun: "design" */
    WORD_DRILL = 1u << 9,     /* "practice" */
    WORD_ME = 1u << 10,       /* "me" in "make me a" */
    WORD_TO = 1u << 11,       /* "to" in "want to" */
    WORD_DET = 1u << 12,      /* articles and the like, dropped where the name begins */
    WORD_FILLER = 1u << 13,   /* "realistic" in "realistic scenario" */
    WORD_SCAFFOLD = 1u << 14, /* "scenario" itself */
    WORD_LINK = 1u << 15,     /* ties what follows to "scenario": "about" */
    WORD_LINKVERB = 1u << 16, /* likewise: "tests" in "that tests" */
    WORD_LABEL = 1u << 17,    /* a heading that is no title: "Background" */
    WORD_TRAIL = 1u << 18,    /* asks at the end, where the verb comes last */
    /* The second group shape what is left. */
    WORD_ARTICLE = 1u << 19,  /* dropped inside a name as well */
    WORD_RELATIVE = 1u << 20, /* opens a clause that a name does without */
    WORD_SMALL = 1u << 21,    /* low in Title Case */
    WORD_WITH = 1u << 22,     /* opens the most telling qualifier */
    WORD_ABOUT = 1u << 23,
    WORD_FOR = 1u << 24,
    WORD_PLACE = 1u << 25, /* opens a qualifier of what stands just before it */
    WORD_AND = 1u << 26,
    WORD_PARTICLE = 1u << 27,     /* may end a name: "Log In" */
    WORD_ABBREVIATION = 1u << 28, /* its full stop ends no sentence */
    WORD_HEAD = 1u << 29,         /* can stand without "scenario" after it: "call" */
    WORD_IT_NOUN = 1u << 30       /* makes an "it" before it IT */
};

enum {
    WORDS_NONE = -1,
    /* Bytes; longer words are in no table. */
    WORDS_MAX_LENGTH = 48
};

/* The hash of a word or, continued with "_" and the next word, of a phrase. Start with
 * WORDS_HASH_START. `text` is in lower case with straight apostrophes. */
#define WORDS_HASH_START 2166136261u
uint32_t words_hash(uint32_t hash, const char *text, size_t len);

/* The first entry with this text, or WORDS_NONE. `hash` is words_hash of it. */
int words_find(uint32_t hash, const char *text, size_t len);

/* The next entry with the same text, or WORDS_NONE. */
int words_next(int entry);

/* Of an entry: its language, its classes (0: it only begins phrases), its text as the table writes
 * it, not NUL-terminated. */
enum language words_language(int entry);
uint32_t words_classes(int entry);
const char *words_text(int entry, size_t *ret_len);

/* The classes of all entries with this one's text in a language; `entry` may be WORDS_NONE. */
uint32_t words_meaning(int entry, enum language language);

#endif
