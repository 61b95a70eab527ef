#include "base/url.h"

#include "base/memory.h"
#include "base/token.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* libcurl forgives "http:/host", "http:host" and no scheme at all; the field asks for an absolute
 * URL. */
static bool has_scheme(const char *text)
{
    const char *rest = strncasecmp(text, "http://", 7) == 0    ? text + 7
                       : strncasecmp(text, "https://", 8) == 0 ? text + 8
                                                               : NULL;
    return rest && *rest && *rest != '/' && *rest != '?' && *rest != '#';
}

/* White space, control characters and backslashes are read differently by different libraries. */
static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= 0x20 || *text == 0x7f || *text == '\\')
            return false;
    return true;
}

static bool is_done(CURLUcode result)
{
    if (result == CURLUE_OUT_OF_MEMORY)
        memory_note_lack();
    return result == CURLUE_OK;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = is_done(curl_url_get(url, part, &text, 0));
    curl_free(text);
    return has;
}

/* A URL that is callable, parsed, for curl_url_cleanup(); NULL: it is none. */
static CURLU *open_url(const char *text)
{
    if (!has_scheme(text) || !is_plain(text))
        return NULL;
    CURLU *url = curl_url();
    if (!url)
        memory_note_lack();
    else if (is_done(curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER)) &&
             has_part(url, CURLUPART_HOST))
        return url;
    curl_url_cleanup(url);
    return NULL;
}

bool url_is_callable(const char *text)
{
    CURLU *url = open_url(text);
    curl_url_cleanup(url);
    return url != NULL;
}

bool url_is_base(const char *text)
{
    return url_is_callable(text) && !strpbrk(text, "?#");
}

static bool copy_part(CURLU *url, CURLUPart part, char *copy, size_t size)
{
    char *text = NULL;
    bool fits = is_done(curl_url_get(url, part, &text, CURLU_DEFAULT_PORT)) && strlen(text) < size;
    if (fits)
        memcpy(copy, text, strlen(text) + 1);
    curl_free(text);
    return fits;
}

static void strip_brackets(char *host)
{
    size_t len = strlen(host);
    if (len < 2 || *host != '[' || host[len - 1] != ']')
        return;
    memmove(host, host + 1, len - 2);
    host[len - 2] = '\0';
}

bool url_read_place(const char *text, struct url_place *ret_place)
{
    struct url_place place = {.scheme = ""};
    CURLU *url = open_url(text);
    bool good = url && copy_part(url, CURLUPART_SCHEME, place.scheme, sizeof place.scheme) &&
                copy_part(url, CURLUPART_HOST, place.host, sizeof place.host) &&
                copy_part(url, CURLUPART_PORT, place.port, sizeof place.port);
    curl_url_cleanup(url);
    if (!good)
        return false;
    token_fold(place.host);
    strip_brackets(place.host);
    *ret_place = place;
    return true;
}

bool url_read_path(const char *text, struct buf *out)
{
    char *path = NULL;
    CURLU *url = open_url(text);
    bool good = url && is_done(curl_url_get(url, CURLUPART_PATH, &path, 0));
    if (good)
        buf_puts(out, path);
    curl_free(path);
    curl_url_cleanup(url);
    return good && !buf_failed(out);
}

void url_format_authority(const struct url_place *place, char ret_text[URL_AUTHORITY_SIZE])
{
    snprintf(ret_text, URL_AUTHORITY_SIZE, strchr(place->host, ':') ? "[%s]:%s" : "%s:%s",
             place->host, place->port);
}
