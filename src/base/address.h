/* Internet addresses and hosts, as text. Any thread. */
#ifndef UNDERSTUDY_BASE_ADDRESS_H
#define UNDERSTUDY_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether an IP address is this machine's own: 127/8, ::1, and ::ffff:127/8. */
bool address_is_loopback(const char *address);

/* Whether `len` bytes are an IPv4 address in four decimal parts, or an IPv6 address. */
bool address_is_ip(const char *text, size_t len);

/*
 * The host of "host", "host:port", "[::1]:port", without brackets and port; *ret_len is its length.
 */
const char *address_host(const char *authority, size_t *ret_len);

/* Whether the host of an http(s) URL is this machine: localhost or a loopback address. */
bool address_url_is_loopback(const char *url);

#endif
