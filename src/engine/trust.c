/*
 * Every flavour of libcurl reads trusted certificates from a file when it connects; only some take
 * them from memory, and one file is all that each takes. So there is a file without a name that has
 * the system's and the given ones together. It also saves the reading of a directory of them, which
 * takes GnuTLS three times as long, for each connection.
 */
#include "engine/trust.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/utf8.h"

#include <errno.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    HOST_SHOWN = 200, /* bytes */
    FILE_MAX_MIB = 4, /* the system's whole bundle takes a quarter of one */
    DER_SEQUENCE = 0x30,
    DER_LONG = 0x80, /* the length is in as many of the next bytes as the other bits say */
};

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END   "-----END CERTIFICATE-----"

/* Where systems keep their bundle, for a libcurl that does not know. */
static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

/* -- certificates ------------------------------------------------------------------------------ */

/* Whether bytes are one SEQUENCE, whole, as certificates are. */
static bool is_der(const unsigned char *der, size_t len)
{
    if (len < 2 || der[0] != DER_SEQUENCE)
        return false;
    size_t more = der[1] & DER_LONG ? der[1] & ~(unsigned)DER_LONG : 0;
    if (more > 3 || len < 2 + more)
        return false;
    size_t inner = more ? 0 : der[1];
    for (size_t i = 0; i < more; i++)
        inner = inner << 8 | der[2 + i];
    return inner && len == 2 + more + inner;
}

static bool is_certificate(const char *base64, size_t len)
{
    struct base64_decode_ctx context;
    struct buf der = BUF_INIT;
    size_t got = 0;
    base64_decode_init(&context);
    bool good = buf_reserve(&der, BASE64_DECODE_LENGTH(len) + 1) &&
                base64_decode_update(&context, &got, (uint8_t *)der.data, len, base64) &&
                base64_decode_final(&context) && is_der((unsigned char *)der.data, got);
    buf_finish(&der);
    return good;
}

static int count_lines(const char *text, const char *end)
{
    int lines = 1;
    for (; text < end; text++)
        lines += *text == '\n';
    return lines;
}

static int check_text(const char *text, struct err *err)
{
    const char *at = strstr(text, PEM_BEGIN);
    if (!at)
        return err_set(err, ERR_INVALID, "has no certificate in PEM (" PEM_BEGIN ")");
    for (; at; at = strstr(at, PEM_BEGIN)) {
        const char *begin = at + strlen(PEM_BEGIN), *end = strstr(begin, PEM_END);
        if (!end || !is_certificate(begin, (size_t)(end - begin)))
            return err_set(err, ERR_INVALID, "has a damaged certificate in line %d",
                           count_lines(text, at));
        at = end;
    }
    return 0;
}

static int read_certificates(const char *path, struct buf *io_text, struct err *err)
{
    size_t start = io_text->len;
    int status = file_read(path, FILE_MAX_MIB, io_text, err);
    return status < 0 ? status : check_text(io_text->data + start, err);
}

int trust_check(const char *ca_file, struct err *err)
{
    cleanup(buf_finish) struct buf text = BUF_INIT;
    return read_certificates(ca_file, &text, err);
}

/* -- the file ---------------------------------------------------------------------------------- */

/* Appends the system's bundle; false, with nothing appended, where there is none. */
static bool read_system(struct buf *io_text)
{
    const char *known = curl_version_info(CURLVERSION_NOW)->cainfo;
    size_t start = io_text->len;
    if (known && file_read(known, FILE_MAX_MIB, io_text, NULL) == 0)
        return true;
    for (size_t i = 0; i < sizeof bundles / sizeof *bundles; i++) {
        io_text->len = start;
        if (file_read(bundles[i], FILE_MAX_MIB, io_text, NULL) == 0)
            return true;
    }
    io_text->len = start;
    return false;
}

static bool write_all(int fd, const struct buf *text)
{
    for (size_t at = 0; at < text->len;) {
        ssize_t written = write(fd, text->data + at, text->len - at);
        if (written < 0 && errno != EINTR)
            return false;
        at += written > 0 ? (size_t)written : 0;
    }
    return true;
}

static int make_file(const struct buf *text, struct trust *trust, struct err *err)
{
    trust->fd = memfd_create("callback-ca", MFD_CLOEXEC);
    if (trust->fd < 0 || !write_all(trust->fd, text)) {
        int error = errno;
        trust_close(trust);
        return err_set(err, ERR_IO, "cannot keep the certificates that callbacks trust: %s",
                       err_system(error));
    }
    snprintf(trust->path, sizeof trust->path, "/proc/self/fd/%d", trust->fd);
    return 0;
}

int trust_open(const char *ca_file, struct trust *ret_trust, struct err *err)
{
    cleanup(buf_finish) struct buf text = BUF_INIT;
    struct trust trust = {.fd = -1};
    struct err why;
    trust.complete = read_system(&text);
    if (trust.complete)
        buf_putc(&text, '\n');
    int status = ca_file ? read_certificates(ca_file, &text, &why) : 0;
    if (status < 0)
        return err_set(err, status, "--callback-ca %.200s %s", ca_file, why.text);
    if (buf_failed(&text))
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    if (text.len)
        status = make_file(&text, &trust, err);
    if (status == 0)
        *ret_trust = trust;
    return status;
}

void trust_close(struct trust *trust)
{
    if (trust->fd >= 0)
        close(trust->fd);
    trust->fd = -1;
}

bool trust_use(const struct trust *trust, CURL *easy)
{
    if (trust->fd < 0)
        return true;
    return curl_easy_setopt(easy, CURLOPT_CAINFO, trust->path) == CURLE_OK &&
           (!trust->complete || curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK);
}

/* -- why not ----------------------------------------------------------------------------------- */

/* What CURLINFO_SSL_VERIFYRESULT says: bits with GnuTLS, a number with OpenSSL. */
static const struct {
    long bit, numbers[4];
    const char *words;
} flaws[] = {
    {0x40, {18, 19, 20, 21}, "is signed by nobody that is trusted; --callback-ca FILE adds trust"},
    {0x400, {10}, "has expired"},
    {0x200, {9}, "is not valid yet"},
    {0x20, {23}, "was revoked"},
};

static const char *find_flaw(long result)
{
    const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;
    bool has_bits = library && strncmp(library, "GnuTLS", 6) == 0;
    for (size_t i = 0; i < sizeof flaws / sizeof *flaws; i++) {
        if (has_bits && result & flaws[i].bit)
            return flaws[i].words;
        for (size_t j = 0; !has_bits && j < 4; j++)
            if (result && result == flaws[i].numbers[j])
                return flaws[i].words;
    }
    return NULL;
}

void trust_explain(CURL *easy, const char *host, const char *detail, struct err *ret_words)
{
    long result = 0;
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
    const char *flaw = find_flaw(result);
    if (strstr(detail, "target host name") || strstr(detail, "target hostname"))
        err_set(ret_words, 0, "the receiver's certificate is for another name than %.*s",
                (int)utf8_span(host, strnlen(host, HOST_SHOWN)), host);
    else if (flaw)
        err_set(ret_words, 0, "the receiver's certificate %s", flaw);
    else
        err_set(ret_words, 0, "the receiver's certificate is not accepted: %s", detail);
}
