/* What the files of the option table share among themselves; for nobody else to include. */
#ifndef UNDERSTUDY_BASE_OPTION_INTERNAL_H
#define UNDERSTUDY_BASE_OPTION_INTERNAL_H

#include "base/option.h"

/*
 * Records and checks one value as written in one place; a repeatable one is split at white space
 * unless it comes from the command line.
 */
void option_add(struct option_set *set, const struct option_spec *spec, const char *text,
                enum option_source source, unsigned line);

/* The option of this very name, or NULL and the nearest name, which may be NULL too. */
const struct option_spec *option_find(const struct option_table *table, const char *name,
                                      const char **ret_near);

/* An earlier value of the option from the same source, or NULL. */
const struct option_value *option_earlier(const struct option_set *set,
                                          const struct option_spec *spec,
                                          enum option_source source);

/* The source whose values of the option count. */
enum option_source option_strongest(const struct option_set *set, const struct option_spec *spec);

/* Appends the environment variable's name. */
void option_variable(const struct option_table *table, const struct option_spec *spec,
                     struct buf *out);

/*
 * Appends a secret as it may be shown: the prefix, "…", the last four characters and, where the
 * value is `valid`, what stands from the "=" on. Less, where that would tell too much.
 */
void option_show_secret(const struct option_table *table, struct buf *out, const char *text,
                        bool valid);

#endif
