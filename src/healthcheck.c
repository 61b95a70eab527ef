#include "healthcheck.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { TIMEOUT_SECONDS = 5 };

/* Where a server with these options is reached: its wildcard address means this machine. */
static void base_of(const struct config *config, struct buf *out)
{
    const struct config_listen *listen = &config->listens[0];
    const char *host = listen->host;
    if (config->healthcheck_url) {
        buf_puts(out, config->healthcheck_url);
        return;
    }
    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "::") == 0)
        host = "::1";
    buf_printf(out, strchr(host, ':') ? "http://[%s]:%u" : "http://%s:%u", host, listen->port);
}

static size_t drop(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * count;
}

static int ask(const char *url)
{
    long status = 0;
    char reason[CURL_ERROR_SIZE] = "";
    CURL *curl = curl_easy_init();
    if (!curl)
        return 1;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    CURLcode result = curl_easy_perform(curl);
    if (result == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (result != CURLE_OK)
        fprintf(stderr, "understudy: %s: %s\n", url, *reason ? reason : curl_easy_strerror(result));
    else if (status != 200)
        fprintf(stderr, "understudy: %s answered %ld\n", url, status);
    return status == 200 ? 0 : 1;
}

int healthcheck(const struct config *config)
{
    struct buf url = BUF_INIT;
    base_of(config, &url);
    buf_puts(&url, "/healthz");
    int code = 1;
    if (!buf_failed(&url) && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        code = ask(url.data);
        curl_global_cleanup();
    }
    buf_finish(&url);
    return code;
}
