/*
 * The store's file: what is made, what is kept, what is refused and left as it was; the lock; the
 * private directory behind ":memory:". What the writer does is another program's test.
 */
#include <check.h>
#include <libgen.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/embed.h"
#include "store/db_internal.h"
#include "support.h"

static int try_open(const char *path, struct store **ret_store, struct err *err)
{
    *err = (struct err){""};
    return store_open(path, DURABILITY_PROCESS, ret_store, err);
}

static struct store *open_well(const char *path)
{
    struct store *store;
    struct err err;
    int status = try_open(path, &store, &err);
    ck_assert_msg(status == 0, "%d: %s", status, err.text);
    return store;
}

static int add_workspace(struct db *db, void *name)
{
    support_workspace(db, name);
    return 0;
}

static int add(struct store *store, const char *name)
{
    char copy[20];
    snprintf(copy, sizeof copy, "%s", name);
    return support_write(store, add_workspace, copy);
}

static int64_t count_workspaces(struct store *store)
{
    struct db *db = store_reader(store, NULL);
    ck_assert_ptr_nonnull(db);
    return support_integer(db, "SELECT count(*) FROM workspace");
}

/* -- what is made and kept --------------------------------------------------------------------- */

START_TEST(what_is_written_is_there_after_reopening)
{
    char *path = support_new_path();
    struct store *store = open_well(path);
    ck_assert_str_eq(store_path(store), path);
    ck_assert_int_eq(count_workspaces(store), 0);
    ck_assert_int_eq(add(store, "one"), 0);
    ck_assert_int_eq(count_workspaces(store), 1);
    store_close(store);

    /* The log is emptied into the file and gone. */
    char *files = support_list(dirname(strdupa(path)));
    ck_assert_str_eq(files, "store.db store.db.lock ");
    free(files);
    store = open_well(path);
    ck_assert_int_eq(count_workspaces(store), 1); /* and by a reader of this store, not the last */
    store_close(store);
    free(path);
}
END_TEST

static int look_at_settings(struct db *db, void *arg)
{
    enum durability *durability = arg;
    ck_assert_int_eq(support_integer(db, "PRAGMA application_id"), STORE_APPLICATION_ID);
    ck_assert_int_eq(support_integer(db, "PRAGMA user_version"), db_newest_layout());
    ck_assert_int_eq(support_integer(db, "PRAGMA foreign_keys"), 1);
    ck_assert_int_eq(support_integer(db, "PRAGMA trusted_schema"), 0);
    ck_assert_int_eq(support_integer(db, "PRAGMA wal_autocheckpoint"), 0);
    ck_assert_int_eq(support_integer(db, "PRAGMA mmap_size"), 0);
    ck_assert_int_eq(support_integer(db, "PRAGMA synchronous"),
                     *durability == DURABILITY_POWER ? 2 : 1);
    ck_assert_int_eq(support_integer(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"),
                     1);
    return 0;
}

START_TEST(settings_of_the_connections)
{
    enum durability durability = _i ? DURABILITY_POWER : DURABILITY_PROCESS;
    char *path = support_new_path();
    struct store *store;
    ck_assert_int_eq(store_open(path, durability, &store, NULL), 0);
    ck_assert_int_eq(support_write(store, look_at_settings, &durability), 0);
    struct db *reader = store_reader(store, NULL);
    ck_assert_int_eq(support_integer(reader, "PRAGMA query_only"), 1);
    ck_assert_int_eq(db_execute(reader, "DELETE FROM workspace", NULL), ERR_PERMISSION);
    store_close(store);
    free(path);
}
END_TEST

START_TEST(private_to_its_owner)
{
    char *path = support_new_path(), name[200];
    struct stat about;
    umask(0022);
    struct store *store = open_well(path);
    ck_assert_int_eq(add(store, "one"), 0);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", path, (const char *[]){"", "-wal", "-shm", ".lock"}[i]);
        ck_assert(stat(name, &about) == 0 && (about.st_mode & 0777) == 0600);
    }
    store_close(store);
    free(path);
}
END_TEST

/* -- migration --------------------------------------------------------------------------------- */

/* A store of an earlier layout: `layout` migrations applied, and stamped so. */
static void make_layout(const char *path, int layout)
{
    sqlite3 *raw;
    char stamp[100];
    ck_assert_int_eq(sqlite3_open(path, &raw), SQLITE_OK);
    for (int i = 0; i < layout; i++)
        ck_assert_int_eq(sqlite3_exec(raw, schema_files[i].data, NULL, NULL, NULL), SQLITE_OK);
    snprintf(stamp, sizeof stamp, "PRAGMA application_id=%d; PRAGMA user_version=%d",
             STORE_APPLICATION_ID, layout);
    ck_assert_int_eq(sqlite3_exec(raw, stamp, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
}

START_TEST(every_older_layout_is_brought_up_to_date)
{
    enum durability durability = DURABILITY_PROCESS;
    for (int layout = 0; layout <= db_newest_layout(); layout++) {
        char *path = support_new_path();
        make_layout(path, layout);
        struct store *store = open_well(path);
        ck_assert_int_eq(support_write(store, look_at_settings, &durability), 0);
        ck_assert_int_eq(add(store, "one"), 0);
        store_close(store);
        free(path);
    }
}
END_TEST

START_TEST(empty_file_becomes_a_store)
{
    char *path = support_new_path();
    support_write_file(path, "", 0);
    struct store *store = open_well(path);
    ck_assert_int_eq(add(store, "one"), 0);
    store_close(store);
    free(path);
}
END_TEST

/* -- what is refused --------------------------------------------------------------------------- */

static void make_store(const char *path, const char *sql)
{
    struct db *db;
    ck_assert_int_eq(db_open(path, DB_WRITER, DURABILITY_PROCESS, &db, NULL), 0);
    support_workspace(db, "one");
    support_sql(db, "%s", sql);
    ck_assert_int_eq(db_checkpoint(db, CHECKPOINT_TRUNCATE), 0);
    db_close(db);
}

static void patch(const char *path, long at, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "r+");
    ck_assert_ptr_nonnull(file);
    fseek(file, at, SEEK_SET);
    ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void make_text(const char *path)
{
    static const char text[] = "This is no store, but somebody's notes, and long enough to be "
                               "mistaken for a header of a hundred bytes or more if nobody looks.";
    support_write_file(path, text, sizeof text - 1);
}

static void make_short(const char *path)
{
    support_write_file(path, "SQLite", 6);
}

static void make_header_only(const char *path)
{
    support_write_file(path, "SQLite format 3", 16);
}

static void make_foreign(const char *path)
{
    sqlite3 *raw;
    sqlite3_open(path, &raw);
    sqlite3_exec(raw, "PRAGMA application_id=77; CREATE TABLE t (x)", NULL, NULL, NULL);
    sqlite3_close(raw);
}

static void make_nobodys(const char *path)
{
    sqlite3 *raw;
    sqlite3_open(path, &raw);
    sqlite3_exec(raw, "CREATE TABLE job (x)", NULL, NULL, NULL);
    sqlite3_close(raw);
}

static void make_newer(const char *path)
{
    make_store(path, "PRAGMA user_version=999");
}

static void make_truncated(const char *path)
{
    struct stat about;
    make_store(path, "");
    ck_assert_int_eq(stat(path, &about), 0);
    ck_assert_int_eq(truncate(path, about.st_size - 4096), 0);
}

static void make_damaged_schema(const char *path)
{
    char junk[1000];
    memset(junk, 0xa5, sizeof junk);
    make_store(path, "");
    patch(path, 100, junk, sizeof junk);
}

/* A layout that its number does not stand for; nothing is written to it, not even its journal mode.
 */
static void make_other_layout(const char *path)
{
    make_store(path, "PRAGMA journal_mode=DELETE; DROP TABLE attempt");
}

static void make_pipe(const char *path)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void make_directory(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static const struct {
    void (*make)(const char *path);
    int status;
    const char *says;
} refused[] = {
    {make_text, ERR_FOREIGN, "not an Understudy store"},
    {make_short, ERR_FOREIGN, "not an Understudy store"},
    {make_header_only, ERR_FOREIGN, ""},
    {make_foreign, ERR_FOREIGN, "another program's"},
    {make_nobodys, ERR_FOREIGN, "another program's"},
    {make_newer, ERR_NEWER, "layout is 999"},
    {make_truncated, ERR_CORRUPT, "its end is missing"},
    {make_damaged_schema, ERR_CORRUPT, ""},
    {make_other_layout, ERR_CORRUPT, "it is damaged: no such table"},
    {make_pipe, ERR_FOREIGN, "not a regular file"},
    {make_directory, ERR_CREATE, "is a directory"},
};

/* The error says which; not a byte of the file changes. A file of others gets no neighbours. */
START_TEST(refused_file_is_left_alone)
{
    char *path = support_new_path(), *before = NULL;
    char *directory = dirname(strdupa(path));
    struct stat about;
    struct err err;
    struct store *untouched = (struct store *)&err, *store = untouched;
    size_t len = 0, len_after;

    refused[_i].make(path);
    ck_assert_int_eq(stat(path, &about), 0);
    if (S_ISREG(about.st_mode))
        before = support_read_file(path, &len);
    char *files = support_list(directory);
    int status = try_open(path, &store, &err);
    ck_assert_msg(status == refused[_i].status, "%d: %s", status, err.text);
    ck_assert_ptr_nonnull(strstr(err.text, refused[_i].says));
    ck_assert_ptr_eq(store, untouched);
    if (before) {
        char *after = support_read_file(path, &len_after);
        ck_assert_uint_eq(len_after, len);
        ck_assert_int_eq(memcmp(before, after, len), 0);
        free(after);
    }
    bool is_ours = refused[_i].make == make_damaged_schema || refused[_i].make == make_other_layout;
    if (!is_ours) { /* else its lock was taken */
        char *files_after = support_list(directory);
        ck_assert_str_eq(files, files_after);
        free(files_after);
    }
    free(files);
    free(before);
    free(path);
}
END_TEST

/* As an ordinary user, whom permissions bind. */
START_TEST(permission_is_needed)
{
    struct store *store;
    struct err err;
    char *path = support_new_path();
    make_store(path, "");
    char *directory = dirname(strdupa(path));
    ck_assert_int_eq(chmod(path, _i ? 0600 : 0), 0);
    ck_assert_int_eq(chmod(directory, _i ? 0500 : 0700), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(chmod(dirname(strdupa(directory)), 0755), 0);
        ck_assert_int_eq(chown(path, 65534, 65534), 0);
        ck_assert_int_eq(chown(directory, 65534, 65534), 0);
        ck_assert_int_eq(seteuid(65534), 0);
    }
    int status = try_open(path, &store, &err);
    ck_assert_msg(status == ERR_PERMISSION, "%d: %s", status, err.text);
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod(directory, 0700), 0);
    free(path);
}
END_TEST

START_TEST(held_store_names_its_holder)
{
    char *path = support_new_path(), pid[40];
    struct store *other, *store = open_well(path);
    struct err err;
    ck_assert_int_eq(add(store, "one"), 0);
    ck_assert_int_eq(try_open(path, &other, &err), ERR_HELD);
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    ck_assert_ptr_nonnull(strstr(err.text, pid));
    ck_assert_int_eq(add(store, "two"), 0); /* the first goes on */
    ck_assert_int_eq(count_workspaces(store), 2);
    store_close(store);
    store_close(open_well(path)); /* free again, though the lock file is there */
    free(path);
}
END_TEST

/* -- readers ----------------------------------------------------------------------------------- */

static void *open_reader(void *arg)
{
    struct store *store = arg;
    struct db *mine = store_reader(store, NULL);
    ck_assert_int_eq(count_workspaces(store), 1);
    ck_assert_ptr_eq(store_reader(store, NULL), mine);
    return mine;
}

START_TEST(each_thread_has_its_reader)
{
    struct store *store = support_new_store();
    pthread_t threads[4];
    void *readers[5] = {store_reader(store, NULL)};
    ck_assert_int_eq(add(store, "one"), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, open_reader, store), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], &readers[i + 1]);
    for (size_t i = 0; i < COUNT(readers); i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_ptr_ne(readers[i], readers[j]);
    store_close(store);
}
END_TEST

/* -- the private directory --------------------------------------------------------------------- */

static char *use_own_tmpdir(void)
{
    char *directory = strdup(support_directory());
    setenv("TMPDIR", directory, 1);
    return directory;
}

START_TEST(memory_is_a_private_directory)
{
    char *directory = use_own_tmpdir();
    struct stat about;
    struct store *store = open_well(":memory:"), *other = open_well(":memory:");
    ck_assert_int_eq(strncmp(store_path(store), directory, strlen(directory)), 0);
    ck_assert_int_eq(stat(dirname(strdupa(store_path(store))), &about), 0);
    ck_assert_int_eq(about.st_mode & 0777, 0700);
    ck_assert_str_ne(store_path(store), store_path(other));
    ck_assert_int_eq(add(store, "one"), 0);
    ck_assert_int_eq(count_workspaces(store), 1);
    ck_assert_int_eq(count_workspaces(other), 0);
    store_close(store);
    ck_assert_int_eq(stat(dirname(strdupa(store_path(other))), &about), 0);
    store_close(other);
    char *left = support_list(directory);
    ck_assert_str_eq(left, "");
    free(left);
    free(directory);
}
END_TEST

START_TEST(store_needs_a_directory)
{
    struct store *store;
    struct err err;
    char *directory = use_own_tmpdir(), path[600];
    ck_assert_int_eq(rmdir(directory), 0);
    snprintf(path, sizeof path, "%s/store.db", directory);
    ck_assert_int_eq(try_open(_i ? ":memory:" : path, &store, &err), ERR_CREATE);
    ck_assert_ptr_nonnull(strstr(err.text, directory));
    free(directory);
}
END_TEST

/* What a killed server left is removed by the next one; what lives, or is not ours, stays. */
START_TEST(killed_ones_directory_is_swept)
{
    char *directory = use_own_tmpdir(), path[600], ready;
    int ends[2];
    snprintf(path, sizeof path, "%s/understudy-memory-notes", directory);
    ck_assert_int_eq(mkdir(path, 0700), 0); /* has no lock: perhaps just being made */
    snprintf(path, sizeof path, "%s/other-memory-x", directory);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    strcat(path, "/store.db.lock");
    support_write_file(path, "", 0);

    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *store;
        struct err err;
        if (try_open(":memory:", &store, &err) == 0)
            (void)!write(ends[1], "r", 1);
        pause();
        _exit(1);
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &ready, 1), 1);
    struct store *store = open_well(":memory:");
    ck_assert_int_eq(add(store, "one"), 0);
    char *files = support_list(directory);
    ck_assert_uint_eq(strlen(files), strlen("other-memory-x understudy-memory-notes ") +
                                         2 * strlen("understudy-memory-XXXXXX "));
    free(files);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);

    struct store *next = open_well(":memory:"); /* sweeps the child's, not the living one's */
    ck_assert_int_eq(count_workspaces(store), 1);
    ck_assert_int_eq(add(store, "two"), 0);
    store_close(next);
    store_close(store);
    files = support_list(directory);
    ck_assert_str_eq(files, "other-memory-x understudy-memory-notes ");
    free(files);
    close(ends[0]);
    free(directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *kept = tcase_create("kept"), *refusals = tcase_create("refused");
    TCase *memory = tcase_create("private");
    tcase_set_timeout(kept, 30);
    tcase_add_test(kept, what_is_written_is_there_after_reopening);
    tcase_add_loop_test(kept, settings_of_the_connections, 0, 2);
    tcase_add_test(kept, private_to_its_owner);
    tcase_add_test(kept, every_older_layout_is_brought_up_to_date);
    tcase_add_test(kept, empty_file_becomes_a_store);
    tcase_add_test(kept, each_thread_has_its_reader);
    tcase_set_timeout(refusals, 30);
    tcase_add_loop_test(refusals, refused_file_is_left_alone, 0, (int)COUNT(refused));
    tcase_add_loop_test(refusals, permission_is_needed, 0, 2);
    tcase_add_test(refusals, held_store_names_its_holder);
    tcase_set_timeout(memory, 30);
    tcase_add_test(memory, memory_is_a_private_directory);
    tcase_add_loop_test(memory, store_needs_a_directory, 0, 2);
    tcase_add_test(memory, killed_ones_directory_is_swept);
    suite_add_tcase(suite, kept);
    suite_add_tcase(suite, refusals);
    suite_add_tcase(suite, memory);
    return support_run(suite);
}
