#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db_internal.h"

static char root[256]; /* the program's directory */

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *at)
{
    (void)about;
    (void)type;
    (void)at;
    return remove(path);
}

int support_run(Suite *suite)
{
    const char *parent = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/understudy-test-XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(root)) {
        perror(root);
        return EXIT_FAILURE;
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

const char *support_directory(void)
{
    static char directory[sizeof root + 16];
    snprintf(directory, sizeof directory, "%s/XXXXXX", root);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    return directory;
}

char *support_new_path(void)
{
    char *path;
    ck_assert_int_gt(asprintf(&path, "%s/store.db", support_directory()), 0);
    return path;
}

char *support_read_file(const char *path, size_t *ret_len)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0 && fstat(fd, &about) == 0, "cannot read %s", path);
    size_t size = (size_t)about.st_size;
    char *bytes = malloc(size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_int_eq(read(fd, bytes, size), (ssize_t)size);
    bytes[size] = '\0';
    close(fd);
    *ret_len = size;
    return bytes;
}

void support_write_file(const char *path, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_msg(fd >= 0, "cannot write %s", path);
    ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

char *support_list(const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, is_entry, alphasort);
    ck_assert_msg(count >= 0, "cannot list %s", directory);
    char *text = calloc(1, (size_t)count * (sizeof entries[0]->d_name + 1) + 1);
    ck_assert_ptr_nonnull(text);
    for (int i = 0; i < count; i++) {
        strcat(strcat(text, entries[i]->d_name), " ");
        free(entries[i]);
    }
    free(entries);
    return text;
}

struct db *support_new_db(void)
{
    struct db *db;
    struct err err = {""};
    char *path = support_new_path();
    int status = db_open(path, DB_WRITER, DURABILITY_PROCESS, &db, &err);
    ck_assert_msg(status == 0, "%d: %s", status, err.text);
    free(path);
    return db;
}

struct store *support_new_store(void)
{
    struct store *store;
    struct err err = {""};
    char *path = support_new_path();
    int status = store_open(path, DURABILITY_PROCESS, &store, &err);
    ck_assert_msg(status == 0, "%d: %s", status, err.text);
    free(path);
    return store;
}

/* Formats a statement; what the tests put into one is short. */
static const char *format_sql(const char *format, va_list args)
{
    static _Thread_local char sql[2048];
    int len = vsnprintf(sql, sizeof sql, format, args);
    ck_assert_int_lt(len, (int)sizeof sql);
    return sql;
}

void support_sql(struct db *db, const char *format, ...)
{
    struct err err = {""};
    va_list args;
    va_start(args, format);
    const char *sql = format_sql(format, args);
    va_end(args);
    ck_assert_msg(db_execute(db, sql, &err) == 0, "%s: %s", sql, err.text);
}

int64_t support_integer(struct db *db, const char *format, ...)
{
    struct err err = {""};
    int64_t value = 0;
    va_list args;
    va_start(args, format);
    const char *sql = format_sql(format, args);
    va_end(args);
    ck_assert_msg(db_integer(db, sql, &value, &err) == 0, "%s: %s", sql, err.text);
    return value;
}

static int steps_left;

/* Asked by SQLite as it goes; what it does is interrupted where the answer is not 0. */
static int is_refused(void *arg)
{
    (void)arg;
    return steps_left-- == 0;
}

void support_refuse(struct db *db, int step)
{
    steps_left = step;
    sqlite3_progress_handler(db->connection, 1, step < 0 ? NULL : is_refused, NULL);
}

bool support_has_refused(void)
{
    return steps_left < 0;
}

int64_t support_workspace(struct db *db, const char *name)
{
    struct workspace_row row = {.active = true, .created_at = 1};
    snprintf(row.id, sizeof row.id, "%s", name);
    snprintf(row.slug, sizeof row.slug, "%s", name);
    snprintf(row.name, sizeof row.name, "%s", name);
    snprintf(row.project_id, sizeof row.project_id, "%s", name);
    ck_assert_int_eq(workspace_insert(db, &row), 0);
    return row.pk;
}

struct body {
    struct write write;
    int (*body)(struct db *db, void *arg);
    void *arg;
};

static int run_body(struct write *write, struct db *db)
{
    struct body *body = (struct body *)write;
    return body->body(db, body->arg);
}

int support_write(struct store *store, int (*body)(struct db *db, void *arg), void *arg)
{
    struct body write = {.write = {.run = run_body}, .body = body, .arg = arg};
    return store_write(store, &write.write);
}
