/* Finding where a sentence stops asking for a scenario and starts to describe it. Internal to the
 * generator; any thread may call. */
#ifndef UNDERSTUDY_ENGINE_GENERATOR_LEAD_H
#define UNDERSTUDY_ENGINE_GENERATOR_LEAD_H

#include "engine/generator_text.h"

/* The first token of the sentence `start` .. `end` (not included) that says what the scenario is;
 * `end` when none does. That token may lose an elided word ("d'appel"). */
size_t lead_skip(struct text *text, size_t start, size_t end);

#endif
