/*
 * Reading, when memory may run out. jansson 2.14 collects each token's text in a buffer, and where
 * that cannot grow it goes on without the character: a text is then not what was sent, and where
 * its closing quote was lost, jansson reads and writes beyond its end. So what it lacks while it
 * reads comes from a reserve that was set aside before, it is told at once that the text is over,
 * and what it gives is thrown away.
 */
#include "base/json.h"
#include "base/memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    AHEAD_MAX = 1024,    /* bytes that jansson takes at once, and still reads */
    BYTE_COST_MAX = 128, /* of the smallest values that one of these can be */
    RESERVE_MIN = 4096,
};

struct reading {
    const char *text;
    size_t left;
    char *reserve, *at, *end;
    size_t largest; /* what the buffer may need of it; more is some table's, which may fail */
};

static _Thread_local struct reading *current;

static void *take(struct reading *reading, size_t size)
{
    size_t align = alignof(max_align_t), rounded = (size + align - 1) / align * align;
    if (size > reading->largest || rounded > (size_t)(reading->end - reading->at))
        return NULL;
    void *block = reading->at;
    reading->at += rounded;
    return block;
}

static void *allocate(size_t size)
{
    void *block = malloc(size);
    if (block)
        return block;
    memory_note_lack();
    return current ? take(current, size) : NULL;
}

static void release(void *block)
{
    uintptr_t at = (uintptr_t)block;
    if (!current || at < (uintptr_t)current->reserve || at >= (uintptr_t)current->end)
        free(block);
}

/* Before any thread can use jansson, in every program that has this room. */
__attribute__((constructor)) static void watch(void)
{
    json_set_alloc_funcs(allocate, release);
}

static size_t give(void *buffer, size_t size, void *arg)
{
    struct reading *reading = arg;
    size_t len = reading->left < size ? reading->left : size;
    if (memory_lacked() || !len)
        return 0;
    memcpy(buffer, reading->text, len);
    reading->text += len;
    reading->left -= len;
    return len;
}

/* False: there is none. The buffer may double what the longest text has. */
static bool set_aside(struct reading *reading, size_t len)
{
    size_t ahead = len < AHEAD_MAX ? len : AHEAD_MAX, size;
    if (__builtin_mul_overflow(len, 5, &size) ||
        __builtin_add_overflow(size, ahead * BYTE_COST_MAX + RESERVE_MIN, &size))
        return false;
    reading->largest = 2 * len + RESERVE_MIN / 2;
    reading->reserve = reading->at = malloc(size);
    reading->end = reading->reserve ? reading->reserve + size : NULL;
    return reading->reserve != NULL;
}

/* As json_read(); *ret_lacked says why there is nothing. */
static json_t *read_or_say(const char *text, size_t len, size_t flags, json_error_t *ret_where,
                           bool *ret_lacked)
{
    struct reading reading = {.text = text, .left = len};
    json_t *value = NULL;
    *ret_lacked = !set_aside(&reading, len);
    if (*ret_lacked) {
        memory_note_lack();
        if (ret_where)
            *ret_where = (json_error_t){.line = -1, .text = "out of memory"};
        return NULL;
    }
    bool before = memory_lacked();
    memory_forget_lack();
    current = &reading;
    value = json_load_callback(give, &reading, flags, ret_where);
    *ret_lacked = memory_lacked();
    if (*ret_lacked) {
        json_decref(value);
        value = NULL;
    }
    current = NULL;
    free(reading.reserve);
    if (before)
        memory_note_lack();
    return value;
}

json_t *json_read(const char *text, size_t len, size_t flags, json_error_t *ret_where)
{
    bool lacked;
    return read_or_say(text, len, flags, ret_where, &lacked);
}

json_t *json_read_text(const char *text, size_t flags)
{
    return json_read(text, strlen(text), flags, NULL);
}

int json_parse_body(const char *bytes, size_t len, json_t **ret_value, struct err *err)
{
    json_error_t where;
    bool lacked;
    json_t *value = read_or_say(bytes, len, JSON_DECODE_ANY, &where, &lacked);
    if (value) {
        *ret_value = value;
        return 0;
    }
    if (lacked)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    if (!len)
        return err_set(err, ERR_INVALID, "the body is empty");
    if (where.line < 1)
        return err_set(err, ERR_INVALID, "%s", where.text);
    return err_set(err, ERR_INVALID, "%s at line %d, column %d", where.text, where.line,
                   where.column);
}
