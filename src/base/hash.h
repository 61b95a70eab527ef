/* Hashes that need not withstand those who would make two things fit. Pure; any thread. */
#ifndef UNDERSTUDY_BASE_HASH_H
#define UNDERSTUDY_BASE_HASH_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const char *bytes, size_t len);

/*
 * Of parsed JSON: the same for values that are the same, however they are laid out and whatever the
 * order of their members; 1 and 1.0 are not the same. Recursion is bounded by what jansson parses:
 * 2,048 levels.
 */
uint64_t hash_json(const json_t *value);

#endif
