/* Identifiers, from the operating system's cryptographic source or from given bytes. Any thread. */
#ifndef UNDERSTUDY_BASE_ID_H
#define UNDERSTUDY_BASE_ID_H

#include <stddef.h>

enum {
    ID_HEX_SIZE = 13,  /* 12 characters and a NUL */
    ID_UUID_SIZE = 37, /* 36 characters and a NUL */
    ID_HEX_BYTES = 6,  /* that each is made of */
    ID_UUID_BYTES = 16,
};

/* Fills `bytes` with random ones. Never fails: without randomness the process ends. */
void id_random(void *bytes, size_t len);

/* 12 characters of lower-case hex (S21). */
void id_hex(char ret_id[ID_HEX_SIZE]);

/* A UUID of version 4 in lower case (E6). */
void id_uuid(char ret_id[ID_UUID_SIZE]);

/* The same, of bytes that somebody else drew. */
void id_hex_of(const unsigned char bytes[ID_HEX_BYTES], char ret_id[ID_HEX_SIZE]);
void id_uuid_of(const unsigned char bytes[ID_UUID_BYTES], char ret_id[ID_UUID_SIZE]);

#endif
