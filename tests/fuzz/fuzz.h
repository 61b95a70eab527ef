/*
 * What the fuzzers share: reading an input as numbers and texts, saying what is wrong with what
 * came of it, and a place for files. One thread.
 *
 * A harness defines LLVMFuzzerTestOneInput(), which libFuzzer calls with what it makes up, and
 * replay.c with the files of a corpus. A check that fails ends the program: by abort(), so that
 * both keep the input.
 */
#ifndef UNDERSTUDY_TESTS_FUZZ_H
#define UNDERSTUDY_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT(array_) (sizeof(array_) / sizeof *(array_))

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Ends the program where `good_` is not so, with a text as printf has it. */
#define FUZZ_CHECK(good_, ...)                                                                     \
    do {                                                                                           \
        if (!(good_))                                                                              \
            fuzz_fail(__FILE__, __LINE__, __VA_ARGS__);                                            \
    } while (0)
_Noreturn void fuzz_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An input, read from its beginning; what lies behind its end are zeros, and empty texts. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

unsigned fuzz_byte(struct fuzz_input *input);
uint32_t fuzz_number(struct fuzz_input *input, size_t bytes); /* at most 4; big-endian */

/* The bytes up to the next `end`, which is read too, or the end of the input: *ret_len of them, in
 * new memory, NUL-terminated; to be freed. */
char *fuzz_line(struct fuzz_input *input, char end, size_t *ret_len);

/* All that is left, likewise. */
char *fuzz_rest(struct fuzz_input *input, size_t *ret_len);

/* A directory of the program's own, in memory where there is such a place; it is removed when the
 * program ends, but for a check that fails. Owned by this. */
const char *fuzz_directory(void);

/* The length of the UTF-8 character at `text`, or 0: by arithmetic, not by tables of bytes. */
size_t fuzz_utf8_length(const unsigned char *text, size_t len);
bool fuzz_is_utf8(const void *text, size_t len);

#endif
