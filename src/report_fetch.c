#include "report_fetch.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "report/report.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

enum {
    CONNECT_SECONDS = 10,
    WHOLE_SECONDS = 30,
    SHOWN_SIZE = 300, /* of what libcurl says */
};

#define MOST_BYTES ((size_t)REPORT_MAX_MIB << 20)

/* The answer as it comes in. */
struct reply {
    struct buf body;
    bool too_long;
};

static size_t take(char *bytes, size_t size, size_t count, void *arg)
{
    struct reply *reply = arg;
    reply->too_long = size * count > MOST_BYTES - reply->body.len;
    if (reply->too_long)
        return 0;
    buf_append(&reply->body, bytes, size * count);
    return buf_failed(&reply->body) ? 0 : size * count;
}

/* Takes an end off a path of so many bytes, where it has it, and slashes before. */
static size_t without(const char *path, size_t len, const char *end)
{
    size_t end_len = strlen(end);
    if (len > end_len && strncmp(path + len - end_len, end, end_len) == 0)
        len -= end_len;
    while (len && path[len - 1] == '/')
        len--;
    return len;
}

/* The report's own URL, for whoever gave that, means the same server. */
static void put_url(struct buf *out, CURL *curl, const char *base, const char *run)
{
    size_t len = without(base, strlen(base), "/");
    len = without(base, len, "/_mock/report");
    len = without(base, len, "/_mock");
    buf_append(out, base, len);
    buf_puts(out, "/_mock/report?format=json");
    char *escaped = run ? curl_easy_escape(curl, run, 0) : NULL;
    if (run && !escaped)
        out->failed = true;
    if (escaped)
        buf_printf(out, "&run=%s", escaped);
    curl_free(escaped);
}

static void set_up(CURL *curl, const char *url, struct curl_slist *headers, char *reason,
                   struct reply *reply)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)WHOLE_SECONDS);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)MOST_BYTES);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
}

static int tell_failure(CURLcode result, const char *reason, const struct reply *reply,
                        struct err *err)
{
    char shown[SHOWN_SIZE];
    const char *words = *reason ? reason : curl_easy_strerror(result);
    if (result == CURLE_OUT_OF_MEMORY || buf_failed(&reply->body))
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    if (reply->too_long || result == CURLE_FILESIZE_EXCEEDED)
        return err_set(err, ERR_INVALID, "answers with more than %d MiB", REPORT_MAX_MIB);
    escape_text(ESCAPE_PLAIN, words, strlen(words), shown, sizeof shown);
    return err_set(err, ERR_IN_USE, "cannot be asked: %s", shown);
}

/* The header with the token, wiped when it goes. */
static void wipe(struct buf *text)
{
    if (text->data)
        explicit_bzero(text->data, text->len);
    buf_finish(text);
}

static struct curl_slist *make_headers(const char *token)
{
    cleanup(wipe) struct buf line = BUF_INIT;
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
    if (!token || !headers)
        return headers;
    buf_printf(&line, "Authorization: Bearer %s", token);
    struct curl_slist *more = buf_failed(&line) ? NULL : curl_slist_append(headers, line.data);
    if (!more)
        curl_slist_free_all(headers);
    return more;
}

static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *line = headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(headers);
}

int report_fetch(const char *base, const char *run, const char *token,
                 struct report_answer *ret_answer, struct err *err)
{
    cleanup(buf_finish) struct buf url = BUF_INIT;
    char reason[CURL_ERROR_SIZE] = "";
    struct reply reply = {.body = BUF_INIT};
    int status = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = make_headers(token);
    if (curl)
        put_url(&url, curl, base, run);
    if (!curl || !headers || buf_failed(&url)) {
        status = err_set(err, ERR_NO_MEMORY, "out of memory");
    } else {
        set_up(curl, url.data, headers, reason, &reply);
        CURLcode result = curl_easy_perform(curl);
        if (result == CURLE_OK)
            curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret_answer->status);
        else
            status = tell_failure(result, reason, &reply, err);
    }
    if (status == 0)
        ret_answer->body = reply.body;
    else
        buf_finish(&reply.body);
    curl_easy_cleanup(curl);
    free_headers(headers);
    return status;
}
