/* A hash of parsed JSON. Pure; any thread. */
#ifndef UNDERSTUDY_BASE_JSON_HASH_H
#define UNDERSTUDY_BASE_JSON_HASH_H

#include <jansson.h>
#include <stdint.h>

/*
 * The same for values that are the same, however they are laid out and whatever the order of their
 * members; 1 and 1.0 are not the same. Not for those who would make two values fit. Recursion is
 * bounded by what jansson parses: 2,048 levels.
 */
uint64_t json_hash(const json_t *value);

/* Of bytes. */
uint64_t json_hash_bytes(const char *bytes, size_t len);

#endif
