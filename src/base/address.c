#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { TEXT_SIZE = INET6_ADDRSTRLEN };

static bool copy(const char *text, size_t len, char ret_text[TEXT_SIZE])
{
    if (len >= TEXT_SIZE)
        return false;
    memcpy(ret_text, text, len);
    ret_text[len] = '\0';
    return true;
}

bool address_is_loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, address, &v6) != 1)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

bool address_is_ip(const char *text, size_t len)
{
    char address[TEXT_SIZE];
    struct in6_addr parsed;
    return copy(text, len, address) && (inet_pton(AF_INET, address, &parsed) == 1 ||
                                        inet_pton(AF_INET6, address, &parsed) == 1);
}

const char *address_host(const char *authority, size_t *ret_len)
{
    if (*authority == '[') {
        *ret_len = strcspn(authority + 1, "]");
        return authority + 1;
    }
    *ret_len = strcspn(authority, ":/");
    return authority;
}

bool address_url_is_loopback(const char *url)
{
    char address[TEXT_SIZE];
    size_t len;
    const char *authority = strstr(url, "://");
    const char *host = address_host(authority ? authority + 3 : url, &len);
    if (len == strlen("localhost") && strncasecmp(host, "localhost", len) == 0)
        return true;
    return copy(host, len, address) && address_is_loopback(address);
}
