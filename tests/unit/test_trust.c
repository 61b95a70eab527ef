/*
 * Whom callbacks trust: which files of --callback-ca are taken, and that what libcurl gets to read
 * has the system's certificates and the given ones.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "engine/trust.h"

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"

/* Signed by its own key. */
static const char body[] = "MIIBeTCCAR+gAwIBAgIUNODPpSN0ny/RxGCJi+yAqqeNyp4wCgYIKoZIzj0EAwIw\n"
                           "EjEQMA4GA1UEAwwHVHJ1c3RlZDAeFw0yNjExMjIxMTI1NDdaFw0zNjExMTkxMTI1\n"
                           "NDdaMBIxEDAOBgNVBAMMB1RydXN0ZWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
                           "AATEuDWV4kmkr4Ilrc0fIocfGJjk6feFbOYsongOwag9oKTl44K40ihUIXBHVRKM\n"
                           "zJOhIdmq6GTEd/kZn5KXkUTdo1MwUTAdBgNVHQ4EFgQUUUll3xWf+wMx8KBF3DpS\n"
                           "0W6kCeswHwYDVR0jBBgwFoAUUUll3xWf+wMx8KBF3DpS0W6kCeswDwYDVR0TAQH/\n"
                           "BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAgqA4j5LTAce9tk3zIkVm3gCS04Mh\n"
                           "HJjh/d/KwrSRa/QCIAzSfaddSqDCePpziFHMoSg2ITSDl2JZE6HfRN/xu8Rc\n";

static char path[] = "/tmp/test_trust_XXXXXX";

static void begin(void)
{
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void end(void)
{
    unlink(path);
}

static void write_file(const char *text, size_t len)
{
    FILE *file = fopen(path, "w");
    ck_assert_uint_eq(fwrite(text, 1, len, file), len);
    fclose(file);
}

/* What the certificate is made into, and what is said of it then; NULL: it is fine. */
static const struct {
    const char *before, *after;
    size_t cut; /* so many bytes from the end of the body */
    const char *reason;
} files[] = {
    {BEGIN, END, 0, NULL},
    {"# a comment\r\n" BEGIN, END "and more\n", 0, NULL},
    {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" BEGIN, END, 0, NULL},
    {BEGIN, "-----END CERTIFICATE-----", 0, NULL},
    {"", "", 0, "has no certificate in PEM (-----BEGIN CERTIFICATE-----)"},
    {"-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n", 0, "has no certificate"},
    {BEGIN, "", 0, "has a damaged certificate in line 1"},
    {BEGIN, END, 1, NULL}, /* a line's end */
    {BEGIN, END, 5, "has a damaged certificate in line 1"},
    {"\n\n" BEGIN, END, 70, "has a damaged certificate in line 3"},
    {BEGIN "MDA", END, 0, "has a damaged certificate in line 1"},
    {BEGIN "!", END, 0, "has a damaged certificate in line 1"},
    {BEGIN END BEGIN, END, 0, "has a damaged certificate in line 1"},
};

START_TEST(which_files_are_taken)
{
    struct err err = {""};
    struct trust trust = {.fd = -7};
    struct buf text = BUF_INIT;
    buf_puts(&text, files[_i].before);
    buf_append(&text, body, sizeof body - 1 - files[_i].cut);
    buf_puts(&text, files[_i].after);
    write_file(text.data, text.len);
    buf_finish(&text);
    int status = trust_check(path, &err);
    if (!files[_i].reason) {
        ck_assert_msg(status == 0, "%s", err.text);
        return;
    }
    ck_assert_int_eq(status, ERR_INVALID);
    ck_assert_msg(strncmp(err.text, files[_i].reason, strlen(files[_i].reason)) == 0, "%s",
                  err.text);
    ck_assert_int_eq(trust_open(path, &trust, &err), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "--callback-ca"));
    ck_assert_int_eq(trust.fd, -7); /* untouched */
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
    struct err err;
    static char large[5 << 20];
    write_file("", 0);
    ck_assert_int_eq(trust_check(path, &err), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "has no certificate"));
    write_file(large, sizeof large);
    ck_assert_int_eq(trust_check(path, &err), ERR_INVALID);
    ck_assert_str_eq(err.text, "is larger than 4 MiB");
    ck_assert_int_eq(trust_check("/", &err), ERR_INVALID);
    ck_assert_str_eq(err.text, "cannot be read");
    ck_assert_int_eq(trust_check("/nowhere", &err), ERR_INVALID);
    ck_assert_str_eq(err.text, "cannot be opened: No such file or directory");
}
END_TEST

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

START_TEST(the_system_is_trusted_too)
{
    struct err err;
    struct trust trust, system;
    struct buf both = BUF_INIT, own = BUF_INIT;
    char text[sizeof BEGIN + sizeof body + sizeof END];
    snprintf(text, sizeof text, BEGIN "%s" END, body);
    write_file(text, strlen(text));
    ck_assert_int_eq(trust_open(path, &trust, &err), 0);
    ck_assert_int_eq(trust_open(NULL, &system, &err), 0);
    unlink(path);                 /* it is not read again */
    for (int i = 0; i < 2; i++) { /* each reader begins at the beginning */
        both.len = 0;
        ck_assert_int_eq(file_read(trust.path, 8, &both, &err), 0);
        ck_assert_ptr_nonnull(strstr(both.data, body));
    }
    size_t systems = 0;
    if (system.fd >= 0) {
        ck_assert_int_eq(file_read(system.path, 8, &own, &err), 0);
        systems = count(own.data, BEGIN);
    }
    if (access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0)
        ck_assert_uint_gt(systems, 0);
    ck_assert_int_eq(trust.complete, systems > 0);
    ck_assert_uint_eq(count(both.data, BEGIN), systems + 1);
    buf_finish(&both);
    buf_finish(&own);
    trust_close(&trust);
    trust_close(&system);
    ck_assert_int_eq(trust.fd, -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trust");
    TCase *tcase = tcase_create("trust");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, which_files_are_taken, 0, (int)(sizeof files / sizeof *files));
    tcase_add_test(tcase, files_that_cannot_be_read);
    tcase_add_test(tcase, the_system_is_trusted_too);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
