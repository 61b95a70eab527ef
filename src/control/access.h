/*
 * Who may use the control plane, and on which workspace: C8, then C6, then C7, decided from plain
 * values, so that every clause can be tried from a table. Pure, but for what it asks of `find`.
 */
#ifndef UNDERSTUDY_CONTROL_ACCESS_H
#define UNDERSTUDY_CONTROL_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

struct workspace;

/* What the server was told at its start. */
struct access_policy {
    const char *token;      /* --control-token, or NULL */
    bool open;              /* --control open */
    bool private_listeners; /* every listener and --public-url are loopback */
    const char *public_url; /* --public-url, or NULL */
    const char *const *allowed_hosts;
    size_t allowed_host_count;
};

/* What a request says of itself. NULL: it does not say. */
struct access_request {
    const char *method; /* HEAD is GET */
    const char *peer;   /* the address it comes from */
    const char *host, *origin, *fetch_site, *content_type;
    bool forwarded;
    const char *authorization;
    const char *prefix; /* the slug of /w/{slug} */
    const char *query;  /* the value of ?workspace= */
    bool server_wide;   /* the operation needs no workspace */
    bool optional;      /* it is about the workspace that is named, or else about all */
    bool anybody;       /* may do it, from anywhere: a POST to an inbox */
    const char *target; /* the id or slug that a server-wide operation is about, in its path */
};

/* How workspaces are found; each returns a reference that the caller lets go of, or NULL. */
struct access_finder {
    struct workspace *(*by_key)(void *arg, const char *key);
    struct workspace *(*by_slug)(void *arg, const char *slug);
    struct workspace *(*by_name)(void *arg, const char *name); /* id or slug */
    struct workspace *(*only)(void *arg); /* the default one, where there is no other */
    void (*release)(struct workspace *workspace);
    void *arg;
};

enum access_refusal {
    ACCESS_GRANTED,
    ACCESS_HOST,         /* 403, C8 */
    ACCESS_ORIGIN,       /* 403 */
    ACCESS_CROSS_SITE,   /* 403 */
    ACCESS_CONTENT_TYPE, /* 415 */
    ACCESS_DISAGREE,     /* 400, C6: two ways name two workspaces */
    ACCESS_UNKNOWN,      /* 404: no such workspace */
    ACCESS_UNNAMED,      /* 400: there are several, and none is named */
    ACCESS_FORBIDDEN,    /* 403, C7 */
};

/*
 * Decides. ACCESS_GRANTED: *ret_workspace is the workspace, with its reference, or NULL for what is
 * server-wide and names none.
 */
enum access_refusal access_decide(const struct access_policy *policy,
                                  const struct access_request *request,
                                  const struct access_finder *finder,
                                  struct workspace **ret_workspace);

/*
 * Who a request that is granted comes from, in one word: "key", "control_token", "loopback" (a
 * caller on this machine), or "anybody", whom --control open lets in. A key says most, then the
 * token.
 */
const char *access_caller(const struct access_policy *policy, const struct access_request *request);

#endif
