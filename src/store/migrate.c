/*
 * Migrations: schema/NNNN_name.sql, applied in the order of their numbers, each in a transaction
 * with the number it brings the store to, so that a crash leaves the old layout or the new one.
 */
#include "base/embed.h"
#include "store/db_internal.h"

#include <stdio.h>

int db_newest_layout(void)
{
    int count = 0;
    while (schema_files[count].name)
        count++;
    return count;
}

static int apply(struct db *db, int layout, struct err *err)
{
    char stamp[120];
    snprintf(stamp, sizeof stamp, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             STORE_APPLICATION_ID, layout);
    int status = db_execute(db, schema_files[layout - 1].data, err);
    return status < 0 ? status : db_execute(db, stamp, err);
}

/* The look at the file's first page is not taken where SQLite had to undo a crash first. */
static int check_owner(struct db *db, struct err *err)
{
    int64_t id = 0;
    int status = db_integer(db, "PRAGMA application_id", &id, err);
    if (status == 0 && id != STORE_APPLICATION_ID)
        status = err_set(err, ERR_FOREIGN, "it is another program's SQLite file");
    return status;
}

int db_migrate(struct db *db, struct err *err)
{
    int newest = db_newest_layout();
    for (;;) {
        int64_t layout = 0;
        /* Read under the write lock, so that nobody migrates beside us. */
        int status = db_execute(db, "BEGIN IMMEDIATE", err);
        if (status == 0)
            status = db_integer(db, "PRAGMA user_version", &layout, err);
        if (status == 0 && layout > 0)
            status = check_owner(db, err);
        if (status == 0 && layout > newest)
            status = err_set(err, ERR_NEWER, "it has layout %d, and this version knows up to %d",
                             (int)layout, newest);
        if (status == 0 && layout < newest)
            status = apply(db, (int)layout + 1, err);
        else
            db_rollback(db);
        if (status < 0) {
            db_rollback(db);
            return status;
        }
        if (layout == newest)
            return 0;
    }
}
