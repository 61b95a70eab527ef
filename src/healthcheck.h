/* `understudy healthcheck`: asks a running server whether it is alive, for containers. */
#ifndef UNDERSTUDY_HEALTHCHECK_H
#define UNDERSTUDY_HEALTHCHECK_H

#include "config.h"

/* Asks the URL that was given, or else the first listening address; returns the exit code, 0 or 1.
 */
int healthcheck(const struct config *config);

#endif
