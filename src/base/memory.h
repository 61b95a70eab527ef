/*
 * Where memory ran out on this thread and what found so could not say it: libraries that read on,
 * checks that know only right and wrong. Whoever is about to believe, write or answer what came of
 * that asks here first.
 */
#ifndef UNDERSTUDY_BASE_MEMORY_H
#define UNDERSTUDY_BASE_MEMORY_H

#include <stdbool.h>

/* Whether it did since memory_forget_lack(). */
bool memory_lacked(void);
void memory_forget_lack(void);

/* It did. Gives false, for a check to return. */
bool memory_note_lack(void);

#endif
