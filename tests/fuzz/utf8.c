/*
 * UTF-8: everything that decodes bytes which somebody else's program sent, against a reference that
 * decodes and encodes by arithmetic. Each result has to be UTF-8, and to say what the bytes say.
 */
#include "base/utf8.h"
#include "base/escape.h"
#include "base/json.h"
#include "control/payload.h"
#include "fuzz.h"
#include "http/router.h"

#include <jansson.h>
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>

static size_t span(const char *text, size_t len)
{
    size_t at = 0, step;
    while (at < len && (step = fuzz_utf8_length((const unsigned char *)text + at, len - at)))
        at += step;
    return at;
}

static void check_span(const char *text, size_t len)
{
    size_t found = utf8_span(text, len);
    FUZZ_CHECK(found == span(text, len), "%zu bytes are characters, not %zu", span(text, len),
               found);
}

/* A field of HTTP: UTF-8 as it is, all else byte for byte as Latin-1. */
static void check_field(const char *text, size_t len)
{
    struct buf out = BUF_INIT;
    bool as_is = span(text, len) == len;
    utf8_append_field(&out, text, len);
    FUZZ_CHECK(fuzz_is_utf8(out.data, out.len), "a field's text is not UTF-8");
    const unsigned char *at = (const unsigned char *)out.data;
    for (size_t i = 0; i < len && !as_is; i++) {
        unsigned code = *at < 0x80 ? at[0] : (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu);
        FUZZ_CHECK(code == (unsigned char)text[i], "byte %zu became U+%04x", i, code);
        at += *at < 0x80 ? 1 : 2;
    }
    FUZZ_CHECK(!as_is || (out.len == len && (!len || memcmp(out.data, text, len) == 0)),
               "UTF-8 was changed");
    buf_finish(&out);
}

/* One line, of characters, that fits; as JSON it can be read back. */
static void check_escape(enum escape_style style, const char *text, size_t len, size_t size)
{
    char *out = malloc(size);
    size_t written = escape_text(style, text, len, out, size);
    FUZZ_CHECK(written < size && !out[written], "the escape has %zu of %zu bytes", written, size);
    FUZZ_CHECK(fuzz_is_utf8(out, written), "the escape is not UTF-8");
    for (size_t i = 0; i < written; i++)
        FUZZ_CHECK((unsigned char)out[i] >= 0x20 && out[i] != 0x7f, "a control character is left");
    if (style == ESCAPE_JSON) {
        struct buf quoted = BUF_INIT;
        buf_printf(&quoted, "\"%s\"", out);
        json_t *read = json_loadb(quoted.data, quoted.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        FUZZ_CHECK(json_is_string(read), "the escape is no JSON: %s", quoted.data);
        json_decref(read);
        buf_finish(&quoted);
    }
    free(out);
}

/* jansson takes a string as we do, and gives back what json_put_string() has written. */
static void check_json(const char *text, size_t len)
{
    struct buf out = BUF_INIT;
    json_put_string(&out, text, len);
    json_t *value = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    FUZZ_CHECK((value != NULL) == (span(text, len) == len), "a string is UTF-8 for one alone");
    FUZZ_CHECK(!value || (json_string_length(value) == len &&
                          memcmp(json_string_value(value), text, len) == 0),
               "a string was changed");
    json_decref(value);
    buf_finish(&out);
}

/* What an attempt's record shows: the text, or all bytes. */
static void check_payload(const char *text, size_t len, bool cut)
{
    struct buf out = BUF_INIT;
    size_t whole = span(text, len);
    buf_putc(&out, '{');
    payload_put(&out, text, len, cut);
    buf_putc(&out, '}');
    json_t *value = json_loadb(out.data, out.len, JSON_ALLOW_NUL, NULL);
    const json_t *body = json_object_get(value, "body");
    const json_t *coded = json_object_get(value, "body_base64");
    FUZZ_CHECK(body && coded && json_is_null(body) != json_is_null(coded), "both, or neither");
    if (json_is_string(body)) {
        FUZZ_CHECK(whole == len || (cut && len - whole < 4), "bytes are shown as a text");
        FUZZ_CHECK(json_string_length(body) == whole, "the text has another length");
    } else {
        struct base64_decode_ctx context;
        size_t got = BASE64_DECODE_LENGTH(json_string_length(coded)) + 1;
        uint8_t *bytes = malloc(got);
        base64_decode_init(&context);
        FUZZ_CHECK(base64_decode_update(&context, &got, bytes, json_string_length(coded),
                                        json_string_value(coded)) &&
                       base64_decode_final(&context) && got == len && memcmp(bytes, text, len) == 0,
                   "the bytes were changed");
        FUZZ_CHECK(whole != len, "a text is shown as bytes");
        free(bytes);
    }
    json_decref(value);
    buf_finish(&out);
}

/* -- paths: cut at slashes, then decoded (H4) -------------------------------------------------- */

static int hex(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* What the guard lets through: every % with two digits, and no NUL. */
static bool is_encoded(const char *text)
{
    for (const char *at = strchr(text, '%'); at; at = strchr(at + 1, '%'))
        if (hex(at[1]) < 0 || hex(at[2]) < 0 || hex(at[1]) + hex(at[2]) == 0)
            return false;
    return true;
}

static size_t decode(const char *from, size_t len, char *to)
{
    size_t at = 0;
    for (size_t i = 0; i < len; i++, at++) {
        bool escaped = from[i] == '%';
        to[at] = escaped ? (char)(hex(from[i + 1]) * 16 + hex(from[i + 2])) : from[i];
        i += escaped ? 2 : 0;
    }
    to[at] = '\0';
    return at;
}

static void check_path(const char *text)
{
    struct path path = {0};
    bool too_many = false, is_utf8 = true;
    size_t count = 0;
    char *cut = strdup(text), *segment = malloc(strlen(text) + 1);
    if (*text == '/' && is_encoded(text)) {
        bool good = path_split(cut, &path, &too_many);
        for (const char *at = text; *at == '/'; count++) {
            size_t len = strcspn(++at, "/"), decoded = decode(at, len, segment);
            is_utf8 = is_utf8 && fuzz_is_utf8(segment, decoded);
            if (good && count < path.count)
                FUZZ_CHECK(strcmp(path.segments[count], segment) == 0, "segment %zu is %s, not %s",
                           count, path.segments[count], segment);
            at += len;
        }
        bool fits = count <= PATH_SEGMENTS_MAX;
        FUZZ_CHECK(!fits || (good == is_utf8 && !too_many), "a path was misjudged: %s", text);
        FUZZ_CHECK(!fits || !good || path.count == count, "%zu segments, not %zu", path.count,
                   count);
        FUZZ_CHECK(fits || !good || too_many, "too many segments were let through");
    }
    free(segment);
    free(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fuzz_input input = {bytes, len};
    size_t size = 16 + fuzz_byte(&input), text_len;
    char *text = fuzz_rest(&input, &text_len);
    check_span(text, text_len);
    check_field(text, text_len);
    check_escape(ESCAPE_TEXT, text, text_len, size);
    check_escape(ESCAPE_JSON, text, text_len, size);
    check_json(text, text_len);
    check_payload(text, text_len, false);
    check_payload(text, text_len, true);
    check_path(text);
    free(text);
    return 0;
}
