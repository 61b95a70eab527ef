/* What this server assumes: the rules of its contract that the vendor's documents do not state. */
#ifndef UNDERSTUDY_CONTROL_ASSUMED_H
#define UNDERSTUDY_CONTROL_ASSUMED_H

#include <stddef.h>

struct assumed_rule {
    const char *id;
    const char *basis; /* letters: D documented, P published elsewhere, O observed, A assumed */
    const char *summary;
};

extern const struct assumed_rule assumed_rules[];
extern const size_t assumed_rule_count;

#endif
