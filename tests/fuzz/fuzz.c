#include "fuzz.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Noreturn void fuzz_fail(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    abort();
}

/* -- inputs ------------------------------------------------------------------------------------ */

unsigned fuzz_byte(struct fuzz_input *input)
{
    if (!input->left)
        return 0;
    input->left--;
    return *input->at++;
}

uint32_t fuzz_number(struct fuzz_input *input, size_t bytes)
{
    uint32_t number = 0;
    while (bytes--)
        number = number << 8 | fuzz_byte(input);
    return number;
}

static char *take(struct fuzz_input *input, size_t len)
{
    char *text = malloc(len + 1);
    if (!text)
        abort();
    if (len)
        memcpy(text, input->at, len);
    text[len] = '\0';
    input->at += len;
    input->left -= len;
    return text;
}

char *fuzz_line(struct fuzz_input *input, char end, size_t *ret_len)
{
    const uint8_t *stop = input->left ? memchr(input->at, end, input->left) : NULL;
    *ret_len = stop ? (size_t)(stop - input->at) : input->left;
    char *text = take(input, *ret_len);
    if (stop)
        fuzz_byte(input);
    return text;
}

char *fuzz_rest(struct fuzz_input *input, size_t *ret_len)
{
    *ret_len = input->left;
    return take(input, input->left);
}

/* -- files ------------------------------------------------------------------------------------- */

static char directory[256];

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *at)
{
    (void)about;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_directory(void)
{
    nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_directory(void)
{
    static const char memory[] = "/dev/shm";
    const char *parent = getenv("TMPDIR");
    if (*directory)
        return directory;
    if (!parent || !*parent)
        parent = access(memory, W_OK) == 0 ? memory : "/tmp";
    snprintf(directory, sizeof directory, "%s/understudy-fuzz-XXXXXX", parent);
    if (!mkdtemp(directory)) {
        perror(directory);
        exit(EXIT_FAILURE);
    }
    atexit(remove_directory);
    return directory;
}

/* -- UTF-8 ------------------------------------------------------------------------------------- */

/* Encodes a code point as RFC 3629 says; returns the length. */
static size_t encode(uint32_t code, unsigned char out[4])
{
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        out[i] = (unsigned char)(0x80 | (code & 0x3f));
    out[0] = (unsigned char)(leads[len] | code);
    return len;
}

/* Reads the bits as if all were well, and looks whether writing what they say gives the same. */
size_t fuzz_utf8_length(const unsigned char *text, size_t len)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    for (size_t want = 1; want <= 4 && want <= len; want++) {
        unsigned char again[4];
        uint32_t code = text[0] & masks[want];
        for (size_t i = 1; i < want; i++)
            code = code << 6 | (text[i] & 0x3f);
        bool is_character = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
        if (is_character && encode(code, again) == want && memcmp(again, text, want) == 0)
            return want;
    }
    return 0;
}

bool fuzz_is_utf8(const void *text, size_t len)
{
    const unsigned char *at = text;
    while (len) {
        size_t step = fuzz_utf8_length(at, len);
        if (!step)
            return false;
        at += step;
        len -= step;
    }
    return true;
}
