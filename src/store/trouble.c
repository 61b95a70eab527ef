#include "store/trouble.h"

#include "base/log.h"
#include "base/time.h"
#include "store/store.h"

enum { TELL_MS = 10000, TRY_MS = 1000 };

bool store_logs(int status)
{
    return status == ERR_IO || status == ERR_FULL || status == ERR_BUSY || status == ERR_CORRUPT ||
           status == ERR_PERMISSION;
}

static void tell(struct trouble *trouble, int status)
{
    int64_t now = time_steady_ms();
    if (trouble->told_at && now - trouble->told_at < TELL_MS)
        return;
    log_event(LOG_ERROR, "the store refuses to be written: requests fail, jobs and callbacks wait",
              LOG_STR("reason", err_reason(status)), LOG_INT("writes", trouble->refused));
    trouble->told_at = now;
    trouble->is_told = true;
    trouble->refused = 0;
}

static void end(struct trouble *trouble)
{
    if (trouble->is_told)
        log_message(LOG_INFO, "the store is written again");
    trouble->is_told = false;
    trouble->refused = 0;
}

void trouble_note(struct trouble *trouble, int status, size_t writes)
{
    bool is_full = atomic_load(&trouble->health) == ERR_FULL;
    if (store_logs(status) && status != ERR_IO) { /* that one ends the server, which says so */
        trouble->refused += writes;
        tell(trouble, status);
    } else if (status == 0 && !is_full) {
        end(trouble);
    }
    if (status == ERR_FULL && !is_full) {
        atomic_store(&trouble->health, ERR_FULL);
        trouble->try_at = time_steady_ms() + TRY_MS;
    }
}

int64_t trouble_try_at(const struct trouble *trouble)
{
    return atomic_load(&trouble->health) == ERR_FULL ? trouble->try_at : TIME_NEVER;
}

void trouble_note_try(struct trouble *trouble, int status)
{
    trouble->try_at = time_steady_ms() + TRY_MS;
    if (status < 0)
        return;
    atomic_store(&trouble->health, 0);
    end(trouble);
}

void trouble_note_read(int status, const char *reason)
{
    static atomic_llong told_at;
    long long now = time_steady_ms(), before = atomic_load(&told_at);
    if ((!before || now - before >= TELL_MS) &&
        atomic_compare_exchange_strong(&told_at, &before, now))
        log_event(LOG_ERROR, "the store cannot be read", LOG_STR("reason", err_reason(status)),
                  LOG_STR("library", reason));
}
