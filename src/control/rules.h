/* What this server assumes: the rules of its contract that the vendor's documents do not state. */
#ifndef UNDERSTUDY_CONTROL_RULES_H
#define UNDERSTUDY_CONTROL_RULES_H

#include <stddef.h>

struct rule {
    const char *id;
    const char *basis; /* letters: D documented, P published elsewhere, O observed, A assumed */
    const char *summary;
};

extern const struct rule rules[];
extern const size_t rule_count;

#endif
