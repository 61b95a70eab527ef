/* The control plane's values (config_value.h). */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_value.h"

enum { TOKEN_MIN = 8, TOKEN_MAX = 256, NAME_MAX_LENGTH = 253 };

int config_parse_control_token(const char *text, void *target, struct err *err)
{
    struct config *config = target;
    size_t len = strlen(text);
    if (len < TOKEN_MIN || len > TOKEN_MAX)
        return err_set(err, ERR_INVALID, "a token has %d to %d characters", TOKEN_MIN, TOKEN_MAX);
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return err_set(err, ERR_INVALID, "a token has visible ASCII characters only");
    if (strncmp(text, CONFIG_KEY_PREFIX, strlen(CONFIG_KEY_PREFIX)) == 0)
        return err_set(err, ERR_INVALID, "a token may not begin as an API key does");
    if (!config)
        return 0;
    char *copy = strdup(text);
    if (!copy)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    free(config->control_token);
    config->control_token = copy;
    return 0;
}

int config_parse_allowed_host(const char *text, void *target, struct err *err)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    struct config *config = target;
    size_t len = strlen(text);
    if (!len || len > NAME_MAX_LENGTH || strspn(text, name) != len)
        return err_set(err, ERR_INVALID,
                       "must be a host's name alone, as mock.example.com: no scheme, no port");
    if (!config)
        return 0;
    char *copy = strdup(text);
    char **all = reallocarray(config->allowed_hosts, config->allowed_host_count + 1, sizeof *all);
    if (all)
        config->allowed_hosts = all;
    if (!copy || !all) {
        free(copy);
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    }
    all[config->allowed_host_count++] = copy;
    return 0;
}
