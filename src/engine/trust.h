/*
 * Whose certificates callbacks to https receivers trust: the system's authorities, and those of
 * --callback-ca beside them.
 */
#ifndef UNDERSTUDY_ENGINE_TRUST_H
#define UNDERSTUDY_ENGINE_TRUST_H

#include "base/err.h"

#include <curl/curl.h>
#include <stdbool.h>

enum { TRUST_PATH_SIZE = 32 };

struct trust {
    int fd;                     /* -1: what libcurl trusts by itself */
    char path[TRUST_PATH_SIZE]; /* for libcurl */
    bool complete;              /* the system's are in it */
};

/* Whether a file has certificates in PEM, all of them whole: 0, ERR_NO_MEMORY, or ERR_INVALID with
 * a text that reads on after the file's name. */
int trust_check(const char *ca_file, struct err *err);

/* Reads the certificates, once; errors as above. `ca_file` may be NULL. */
int trust_open(const char *ca_file, struct trust *ret_trust, struct err *err);
void trust_close(struct trust *trust);

/* Has a transfer trust them; the trust outlives it. Any thread. */
bool trust_use(const struct trust *trust, CURL *easy);

/* Why the certificate of `host` was not accepted (CURLE_PEER_FAILED_VERIFICATION), in words that a
 * person can act on, as far as libcurl knows. `detail` is what it says itself. */
void trust_explain(CURL *easy, const char *host, const char *detail, struct err *ret_words);

#endif
