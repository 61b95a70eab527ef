/*
 * The n-th draw from a seed is the SHA-256 of "<seed>\n<n>", of which as many bytes are used as are
 * needed. Which kind of thing it is for does not matter: its order among the others does. What has
 * no such order is of "<seed>\n<id>\n<n>".
 */
#include "engine/draw.h"

#include "base/digest.h"
#include "engine/workspace.h"

#include <stdio.h>
#include <string.h>

static int draw(struct db *db, const struct workspace *workspace, void *bytes, size_t len)
{
    unsigned char digest[DIGEST_SIZE];
    char text[SEED_SIZE + 24];
    int64_t number = 0;
    if (!*workspace->row.seed) {
        id_random(bytes, len);
        return 0;
    }
    int status = workspace_count_draw(db, workspace->row.pk, &number);
    if (status < 0)
        return status;
    int text_len = snprintf(text, sizeof text, "%s\n%lld", workspace->row.seed, (long long)number);
    digest_sha256(text, (size_t)text_len, digest);
    memcpy(bytes, digest, len);
    return 0;
}

int draw_hex(struct db *db, const struct workspace *workspace, char ret_id[ID_HEX_SIZE])
{
    unsigned char bytes[ID_HEX_BYTES];
    int status = draw(db, workspace, bytes, sizeof bytes);
    if (status == 0)
        id_hex_of(bytes, ret_id);
    return status;
}

int draw_uuid(struct db *db, const struct workspace *workspace, char ret_id[ID_UUID_SIZE])
{
    unsigned char bytes[ID_UUID_BYTES];
    int status = draw(db, workspace, bytes, sizeof bytes);
    if (status == 0)
        id_uuid_of(bytes, ret_id);
    return status;
}

static double share_of(uint32_t drawn)
{
    return 2.0 * drawn / UINT32_MAX - 1;
}

int draw_share(struct db *db, const struct workspace *workspace, double *ret_share)
{
    uint32_t drawn;
    int status = draw(db, workspace, &drawn, sizeof drawn);
    if (status == 0)
        *ret_share = share_of(drawn);
    return status;
}

double draw_share_for(const struct workspace *workspace, const char *id, int64_t number)
{
    unsigned char digest[DIGEST_SIZE];
    char text[SEED_SIZE + ID_HEX_SIZE + 24];
    uint32_t drawn;
    if (!*workspace->row.seed) {
        id_random(&drawn, sizeof drawn);
        return share_of(drawn);
    }
    int len =
        snprintf(text, sizeof text, "%s\n%s\n%lld", workspace->row.seed, id, (long long)number);
    digest_sha256(text, (size_t)len, digest);
    memcpy(&drawn, digest, sizeof drawn);
    return share_of(drawn);
}
