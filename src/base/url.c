#include "base/url.h"

#include <curl/curl.h>
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

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

static bool is_url(const char *text, bool is_base)
{
    if (!has_scheme(text) || !is_plain(text))
        return false;
    CURLU *url = curl_url();
    bool good = url && curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK &&
                has_part(url, CURLUPART_HOST);
    if (good && is_base)
        good = !strpbrk(text, "?#");
    curl_url_cleanup(url);
    return good;
}

bool url_is_callable(const char *text)
{
    return is_url(text, false);
}

bool url_is_base(const char *text)
{
    return is_url(text, true);
}
