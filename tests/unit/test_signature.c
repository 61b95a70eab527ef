/* Signatures by Standard Webhooks 1.0.0: the example that its libraries are tested by, others that
 * were made with another HMAC, and which secrets are secrets. */
#include <check.h>
#include <string.h>

#include "engine/signature.h"
#include "support.h"

#define ONE "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
#define TWO "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo="
#define ZERO                                                                                       \
    "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

static const struct {
    const char *secrets, *id;
    int64_t seconds;
    const char *body;
    size_t len;
    const char *signature;
} cases[] = {
    {"[\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
     "{\"test\": 2432232314}", 20, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
    {"[\"" ONE "\",\"" TWO "\"]", "0123456789ab", 1700000000, "", 0,
     "v1,zXWJaFhChIKXAPwtQ71MZ4JHh0VSmK8u30V8zVaCWzo= "
     "v1,z+x41rPK84ZYVo2yOKHhbryfqcGmwhgbuppcP+6gFlc="},
    {"[\"" ZERO "\"]", "a", 0, "\0\xff\n", 3, "v1,n11+8vyhB1VjJLLcUuInZaCWH1MbUhgIjtxfg7Wjnpg="},
};

START_TEST(vectors)
{
    struct buf out = BUF_INIT;
    ck_assert_int_eq(signature_put(cases[_i].secrets, cases[_i].id, cases[_i].seconds,
                                   cases[_i].body, cases[_i].len, &out),
                     0);
    ck_assert_str_eq(out.data, cases[_i].signature);
    buf_finish(&out);
}
END_TEST

static const struct {
    const char *secret;
    bool right;
} secrets[] = {
    {ONE, true},
    {TWO, true},
    {ZERO, true},
    {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true},
    {"whsec_++++////++++////++++////++++////", true},
    {NULL, false},
    {"", false},
    {"whsec_", false},
    {"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", false},
    {"WHSEC_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", false},
    {"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=", false}, /* 23 bytes */
    {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
     false}, /* 65 */
    {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
     false},                                               /* 69 */
    {"whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo", false},  /* not padded */
    {"whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp=", false}, /* bits beyond the last byte */
    {"whsec_MDEyMzQ1Njc4OTAx MjM0NTY3ODkwMTIz", false},
    {"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\n", false},
    {"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI-", false}, /* of the alphabet for URLs */
    {"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz====", false},
    {"whsec_\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", false},
};

START_TEST(which)
{
    ck_assert_msg(signature_secret_is_right(secrets[_i].secret) == secrets[_i].right, "%s",
                  secrets[_i].secret);
}
END_TEST

/* What a store holds that was not written by this program. */
START_TEST(damage)
{
    static const char *const lists[] = {"", "[", "[]", "{}", "[5]", "[null]", "[\"x\"]"};
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct buf out = BUF_INIT;
        ck_assert_int_eq(signature_put(lists[i], "id", 1, "", 0, &out), ERR_CORRUPT);
        buf_finish(&out);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("signature");
    TCase *signature = tcase_create("standard webhooks");
    tcase_add_loop_test(signature, vectors, 0, (int)COUNT(cases));
    tcase_add_loop_test(signature, which, 0, (int)COUNT(secrets));
    tcase_add_test(signature, damage);
    suite_add_tcase(suite, signature);
    return support_run(suite);
}
