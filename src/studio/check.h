/* Checks that both bodies of the Studio API share (S6). */
#ifndef UNDERSTUDY_STUDIO_CHECK_H
#define UNDERSTUDY_STUDIO_CHECK_H

#include <jansson.h>
#include <stdbool.h>

bool check_email(const json_t *value);
bool check_not_empty(const json_t *value);

#endif
