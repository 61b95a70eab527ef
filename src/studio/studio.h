/*
 * The Studio API under /rest, and the pages that its answers point to: rules S1 to S25 of the
 * contract.
 */
#ifndef UNDERSTUDY_STUDIO_STUDIO_H
#define UNDERSTUDY_STUDIO_STUDIO_H

#include "engine/engine.h"
#include "http/router.h"

struct studio {
    struct engine *engine;
    const char *public_url; /* NULL: urls are built on the Host of the request (S13) */
    bool open_keys;         /* any key makes its workspace on its first use */
    struct hook intercept;  /* before each handler, about a struct rule_subject; set it once */
    struct api api;         /* /rest */
    struct api pages;       /* /chat, /scenarios */
};

/* Sets both APIs up; everything given must outlive the server. */
void studio_init(struct studio *studio, struct engine *engine, const char *public_url,
                 bool open_keys);

#endif
