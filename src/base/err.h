/*
 * Errors of the lower rooms: a function returns 0 or one of the negative codes below, and, where a
 * person may have to read why, fills a `struct err` that its caller owns. Nothing is allocated for
 * an error, so running out of memory can be told like any other failure.
 */
#ifndef UNDERSTUDY_BASE_ERR_H
#define UNDERSTUDY_BASE_ERR_H

enum {
    ERR_NO_MEMORY = -1,
    ERR_INVALID = -2,     /* the input is wrong; the text says how */
    ERR_NOT_FOUND = -3,   /* what was asked for is not there */
    ERR_EXISTS = -4,      /* a unique name is taken */
    ERR_IO = -5,          /* the store's medium failed a read, a write or a sync */
    ERR_FULL = -6,        /* no space left on the store's medium */
    ERR_BUSY = -7,        /* another process holds the store's write lock */
    ERR_CORRUPT = -8,     /* the store is damaged */
    ERR_FOREIGN = -9,     /* the file is no store of ours */
    ERR_NEWER = -10,      /* the store was written by a newer version */
    ERR_HELD = -11,       /* another server holds the store */
    ERR_CREATE = -12,     /* the store cannot be created */
    ERR_PERMISSION = -13, /* the operating system forbids it */
    ERR_IN_USE = -14,     /* the address is taken */
    ERR_OVERLOADED = -15, /* a bounded queue is full */
    ERR_STOPPING = -16,   /* the server is on its way down */
    ERR_INTERNAL = -17,   /* a fault of ours */
    ERR_GONE = -18,       /* the workspace was deleted meanwhile */
};

/* Long enough for a path and a reason; longer texts are cut. */
enum { ERR_TEXT_SIZE = 512 };

struct err {
    char text[ERR_TEXT_SIZE];
};

/* What a code means, in a few words. */
const char *err_reason(int code);

/* What the system calls an errno; good until the thread's next call. */
const char *err_system(int error);

/* What err_set() does, but for what it returns. */
void err_write(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline int err_pass(int code)
{
    return code;
}

/*
 * Writes a printf-style reason into `err` (which may be NULL) and returns `code`, so that a failing
 * function can end in `return err_set(err, ERR_IO, "…")`. Any thread.
 * A macro, so that compilers and analysers see with which code a function goes on.
 */
#define err_set(err_, code_, ...) (err_write((err_), __VA_ARGS__), err_pass(code_))

#endif
