/* Identifiers from the operating system's cryptographic source. Any thread. */
#ifndef UNDERSTUDY_BASE_ID_H
#define UNDERSTUDY_BASE_ID_H

#include <stddef.h>

enum {
    ID_HEX_SIZE = 13,  /* 12 characters and a NUL */
    ID_UUID_SIZE = 37, /* 36 characters and a NUL */
};

/* Fills `bytes` with random ones. Never fails: without randomness the process ends. */
void id_random(void *bytes, size_t len);

/* 12 characters of lower-case hex (S21). */
void id_hex(char ret_id[ID_HEX_SIZE]);

/* A UUID of version 4 in lower case (E6). */
void id_uuid(char ret_id[ID_UUID_SIZE]);

#endif
