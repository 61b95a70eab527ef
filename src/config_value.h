/*
 * The values that only this product knows: addresses, keys, members, URLs. Each function has the
 * shape of `parse` in struct option_spec: it checks a NUL-terminated text and, with a target (a
 * struct config), adds or sets a copy there. 0, ERR_NO_MEMORY or ERR_INVALID with a text that reads
 * on after the option's name and the value. Before any thread starts.
 */
#ifndef UNDERSTUDY_CONFIG_VALUE_H
#define UNDERSTUDY_CONFIG_VALUE_H

#include "base/err.h"

#define CONFIG_KEY_PREFIX "exec_live_"

/* ADDR:PORT: an IPv4 address, an IPv6 address in brackets, or localhost; 0 to 65535. */
int config_parse_listen(const char *text, void *target, struct err *err);

/* A file's name, or ":memory:". */
int config_parse_db(const char *text, void *target, struct err *err);

/* KEY[=WORKSPACE]. Never puts the key into `err`. */
int config_parse_api_key(const char *text, void *target, struct err *err);

/* EMAIL[=WORKSPACE]. */
int config_parse_member(const char *text, void *target, struct err *err);

/* An absolute http or https URL without user info, query and fragment. */
int config_parse_public_url(const char *text, void *target, struct err *err);
int config_parse_healthcheck_url(const char *text, void *target, struct err *err);

/* A secret of 8 to 256 visible ASCII characters that is no API key. Never puts it into `err`. */
int config_parse_control_token(const char *text, void *target, struct err *err);

/* A host's name, without scheme, port and path. */
int config_parse_state(const char *text, void *target, struct err *err);
int config_parse_allowed_host(const char *text, void *target, struct err *err);

/* A network, an address or a host's name that callbacks may go to; a file of certificates. */
int config_parse_callback_allow(const char *text, void *target, struct err *err);
int config_parse_callback_ca(const char *text, void *target, struct err *err);

/* A report's file, whose name ends in .json, .md or .xml. */
int config_parse_report(const char *text, void *target, struct err *err);

/* Any file's name; nothing is stored, the reader of options asks for it itself. */
int config_parse_path(const char *text, void *target, struct err *err);

#endif
