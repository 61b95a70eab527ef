/*
 * The first start and what the command line asks for; the registry that is read from it: S1 (keys),
 * S2, S8 (members), H7 and E10 (slugs and projects).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/internal.h"
#include "support.h"

#define DOCUMENTED "exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b"
#define KEY_1      "exec_live_1111111111111111111111111111111111111111"
#define KEY_2      "exec_live_2222222222222222222222222222222222222222"

static struct store *store;

static void begin(void)
{
    store = support_new_store();
}

static void end(void)
{
    store_close(store);
}

static int boot(const struct engine_options *options, struct err *err)
{
    *err = (struct err){""};
    return engine_bootstrap(store, options, err);
}

static void boot_well(const struct engine_options *options)
{
    struct err err;
    int status = boot(options, &err);
    ck_assert_msg(status == 0, "%d: %s", status, err.text);
}

#define count(...) support_integer(store_reader(store, NULL), "SELECT count(*) FROM " __VA_ARGS__)

static bool has_key(const char *key, const char *slug)
{
    unsigned char hash[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    digest_sha256(key, strlen(key), hash);
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    return count("api_key JOIN workspace ON workspace.pk = api_key.workspace WHERE slug = '%s' AND"
                 " lower(hex(hash)) = '%s' AND last4 = '%s' AND api_key.active",
                 slug, hex, key + strlen(key) - 4) == 1;
}

static bool has_member(const char *email, const char *slug)
{
    return count("member JOIN workspace ON pk = workspace WHERE slug = '%s' AND email = '%s'", slug,
                 email) == 1;
}

/* -- the start --------------------------------------------------------------------------------- */

START_TEST(first_start)
{
    boot_well(&(struct engine_options){.no_defaults = false});
    ck_assert_int_eq(count("workspace WHERE id = 'default' AND slug = 'acme-corp' AND"
                           " name = 'Acme Corp' AND project_id = 'default' AND active"),
                     1);
    ck_assert(has_key(DOCUMENTED, "acme-corp"));
    ck_assert(has_member("jane@acme.com", "acme-corp"));
    ck_assert_int_eq(count("workspace"), 1);
    ck_assert_int_eq(count("api_key"), 1);
    ck_assert_int_eq(count("member"), 1);
}
END_TEST

START_TEST(first_start_without_defaults)
{
    boot_well(&(struct engine_options){.no_defaults = true});
    ck_assert_int_eq(count("workspace WHERE id = 'default' AND slug = 'acme-corp'"), 1);
    ck_assert_int_eq(count("api_key"), 0);
    ck_assert_int_eq(count("member"), 0);
    boot_well(&(struct engine_options){.no_defaults = false}); /* the first start is over */
    ck_assert_int_eq(count("api_key"), 0);
}
END_TEST

static const struct engine_grant keys[] = {{KEY_1, NULL}, {KEY_2, "beta"}};
static const struct engine_grant members[] = {
    {"Ann@Beta.example", "beta"},  {"ann@beta.example", "beta"}, /* the same but for case */
    {"bob@acme.com", "acme-corp"}, {"cid@acme.com", "default"},  {"dan@new.example", "gamma"},
};
static const struct engine_options grants = {
    .keys = keys, .key_count = 2, .members = members, .member_count = COUNT(members)};

/* Absent workspaces are made; an id and a slug both name one; twice is as once. */
START_TEST(grants_make_what_is_missing)
{
    for (int i = 0; i < 2; i++) {
        boot_well(&grants);
        ck_assert_int_eq(count("workspace"), 3);
        ck_assert_int_eq(count("workspace WHERE name = slug AND slug IN ('beta', 'gamma') AND"
                               " active AND id NOT IN ('beta', 'gamma') AND length(id) = 12 AND"
                               " length(project_id) = 12 AND project_id <> id"),
                         2);
        ck_assert_int_eq(count("api_key"), 3);
        ck_assert(has_key(DOCUMENTED, "acme-corp"));
        ck_assert(has_key(KEY_1, "acme-corp"));
        ck_assert(has_key(KEY_2, "beta"));
        ck_assert_int_eq(count("member"), 5);
        ck_assert(has_member("ann@beta.example", "beta"));
        ck_assert(has_member("bob@acme.com", "acme-corp"));
        ck_assert(has_member("cid@acme.com", "acme-corp"));
        ck_assert(has_member("dan@new.example", "gamma"));
    }
    boot_well(&(struct engine_options){.no_defaults = true}); /* takes nothing away */
    ck_assert_int_eq(count("api_key"), 3);
    ck_assert_int_eq(count("member"), 5);
}
END_TEST

/* S2: a key is one workspace's. Nothing is written, and the key itself is not told. */
START_TEST(key_of_another_workspace_is_refused)
{
    static const struct engine_grant stolen[] = {
        {KEY_1, "fresh"}, {KEY_2, "other"}, {DOCUMENTED, "other"}};
    struct err err;
    size_t first = _i ? 0 : 1;
    boot_well(&grants);
    ck_assert_int_eq(boot(&(struct engine_options){.keys = stolen + first, .key_count = 2}, &err),
                     ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, first ? " 2222 " : " 1111 "));
    ck_assert_ptr_null(strstr(err.text, first ? "22222" : "11111"));
    ck_assert_int_eq(count("workspace"), 3);
    ck_assert_int_eq(count("api_key"), 3);
}
END_TEST

START_TEST(one_key_for_two_workspaces_is_refused)
{
    static const struct engine_grant both[] = {{KEY_1, "beta"}, {KEY_1, "gamma"}};
    struct err err;
    ck_assert_int_eq(boot(&(struct engine_options){.keys = both, .key_count = 2}, &err),
                     ERR_INVALID);
    ck_assert_int_eq(count("workspace"), 0); /* not even the defaults: it is one transaction */
}
END_TEST

/* -- the registry ------------------------------------------------------------------------------ */

static const struct settings settings = {
    .queue_time = 5, .processing_time = 6, .max_processing = 7};

static struct workspace_row row_of(int64_t pk, const char *id, const char *slug,
                                   const char *project)
{
    struct workspace_row row = {.pk = pk, .active = true};
    snprintf(row.id, sizeof row.id, "%s", id);
    snprintf(row.slug, sizeof row.slug, "%s", slug);
    snprintf(row.project_id, sizeof row.project_id, "%s", project);
    return row;
}

static struct registry *new_registry(void)
{
    struct registry *registry = registry_create(&settings);
    struct workspace_row a = row_of(30, "default", "acme", "pa"),
                         b = row_of(7, "idb", "beta", "pb");
    ck_assert_int_eq(registry_add_workspace(registry, &a, 0, 0), 0);
    ck_assert_int_eq(registry_add_workspace(registry, &b, 0, 0), 0);
    return registry;
}

/* The slug of what was found, "-" for nothing; lets go of it. */
static const char *slug_of(struct workspace *workspace)
{
    static char slug[WORKSPACE_SLUG_SIZE];
    snprintf(slug, sizeof slug, "%s", workspace ? workspace->row.slug : "-");
    workspace_release(workspace);
    return slug;
}

START_TEST(registry_finds)
{
    struct registry *registry = new_registry();
    ck_assert_str_eq(slug_of(registry_by_slug(registry, "acme")), "acme");
    ck_assert_str_eq(slug_of(registry_by_slug(registry, "beta")), "beta");
    ck_assert_str_eq(slug_of(registry_by_slug(registry, "idb")), "-");
    ck_assert_str_eq(slug_of(registry_by_slug(registry, "Beta")), "-");
    ck_assert_str_eq(slug_of(registry_by_slug(registry, "")), "-");
    ck_assert_str_eq(slug_of(registry_by_name(registry, "idb")), "beta");
    ck_assert_str_eq(slug_of(registry_by_name(registry, "beta")), "beta");
    ck_assert_str_eq(slug_of(registry_by_name(registry, "pb")), "-");
    ck_assert_str_eq(slug_of(registry_by_project(registry, "pa")), "acme");
    ck_assert_str_eq(slug_of(registry_by_project(registry, "pb")), "beta");
    ck_assert_str_eq(slug_of(registry_by_project(registry, "acme")), "-");
    ck_assert_str_eq(slug_of(registry_default(registry)), "acme");
    struct workspace *workspace = registry_default(registry);
    ck_assert_mem_eq(&workspace->settings, &settings, sizeof settings);
    workspace_release(workspace);
    registry_destroy(registry);
    registry = registry_create(&settings);
    ck_assert_str_eq(slug_of(registry_default(registry)), "-");
    registry_destroy(registry);
}
END_TEST

START_TEST(registry_refuses_doubles)
{
    struct registry *registry = new_registry();
    struct workspace_row rows[] = {row_of(7, "x", "x", "x"), row_of(1, "idb", "y", "y"),
                                   row_of(2, "z", "beta", "z"), row_of(3, "u", "u", "pb")};
    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_int_eq(registry_add_workspace(registry, &rows[i], 0, 0), ERR_EXISTS);
    ck_assert_str_eq(slug_of(registry_by_name(registry, "idb")), "beta");
    registry_destroy(registry);
}
END_TEST

START_TEST(registry_keys)
{
    struct registry *registry = new_registry();
    struct key_row active = {.workspace = 7, .hash = "a", .active = true};
    struct key_row inactive = {.workspace = 7, .hash = "b", .active = false};
    struct key_row nobodys = {.workspace = 8, .hash = "c", .active = true};
    ck_assert_int_eq(registry_add_key(registry, &active), 0);
    ck_assert_int_eq(registry_add_key(registry, &inactive), 0);
    ck_assert_int_eq(registry_add_key(registry, &nobodys), ERR_NOT_FOUND);
    ck_assert_str_eq(slug_of(registry_by_key(registry, active.hash)), "beta");
    ck_assert_str_eq(slug_of(registry_by_key(registry, inactive.hash)), "-");
    ck_assert_str_eq(slug_of(registry_by_key(registry, nobodys.hash)), "-");
    active.hash[KEY_HASH_SIZE - 1] = 1; /* the whole of it counts */
    ck_assert_str_eq(slug_of(registry_by_key(registry, active.hash)), "-");
    registry_destroy(registry);
}
END_TEST

static const struct {
    const char *email;
    bool is;
} asked[] = {
    {"jane@acme.com", true},
    {"JANE@Acme.COM", true},
    {"j\xc3\xa9@acme.com", true},
    {"J\xc3\xa9@acme.com", true},
    {"j\xc3\x89@acme.com", false}, /* only ASCII's case */
    {"jane@acme.co", false},
    {"jane@acme.comm", false},
    {"beta@acme.com", false}, /* another workspace's */
    {"", false},
};

START_TEST(registry_members)
{
    struct registry *registry = new_registry();
    struct workspace *acme = registry_by_slug(registry, "acme");
    struct member_row rows[] = {
        {30, "jane@acme.com", 1}, {30, "j\xc3\xa9@acme.com", 1}, {7, "beta@acme.com", 1}};
    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_int_eq(registry_add_member(registry, &rows[i]), 0);
    ck_assert_int_eq(registry_add_member(registry, &rows[0]), 0); /* twice is as once */
    ck_assert_int_eq(registry_add_member(registry, &(struct member_row){8, "x", 1}), ERR_NOT_FOUND);
    for (size_t i = 0; i < COUNT(asked); i++)
        ck_assert_msg(registry_is_member(registry, acme, asked[i].email) == asked[i].is, "%s",
                      asked[i].email);
    workspace_release(acme);
    registry_destroy(registry);
}
END_TEST

/* An address that is a member's as far as there is room, and goes on, is nobody's. */
START_TEST(registry_knows_no_address_too_long)
{
    struct registry *registry = new_registry();
    struct workspace *acme = registry_by_slug(registry, "acme");
    struct member_row row = {.workspace = 30};
    char email[EMAIL_MAX + 2] = "";
    memset(row.email, 'a', EMAIL_MAX);
    memset(email, 'a', EMAIL_MAX + 1);
    ck_assert_int_eq(registry_add_member(registry, &row), 0);
    ck_assert(!registry_is_member(registry, acme, email));
    email[EMAIL_MAX] = '\0';
    ck_assert(registry_is_member(registry, acme, email));
    workspace_release(acme);
    registry_destroy(registry);
}
END_TEST

/* What was found outlives the registry, until it is let go of. */
START_TEST(references_keep_a_workspace)
{
    struct registry *registry = new_registry();
    struct workspace *first = registry_by_slug(registry, "beta");
    struct workspace *second = registry_by_name(registry, "idb");
    ck_assert_ptr_eq(first, second);
    ck_assert_int_eq(atomic_load(&first->references), 3);
    workspace_release(second);
    ck_assert_int_eq(atomic_load(&first->references), 2);
    registry_destroy(registry);
    ck_assert_int_eq(atomic_load(&first->references), 1);
    ck_assert_str_eq(first->row.slug, "beta");
    workspace_release(first);
    workspace_release(NULL);
}
END_TEST

static void join_slug(struct workspace *workspace, void *arg)
{
    strcat(strcat(arg, workspace->row.slug), " ");
}

START_TEST(each_workspace_is_visited_once)
{
    char text[200] = "";
    struct registry *registry = new_registry();
    struct workspace_row rows[] = {row_of(1, "c", "c", "c"), row_of(50, "d", "d", "d"),
                                   row_of(20, "e", "e", "e")};
    for (size_t i = 0; i < COUNT(rows); i++)
        registry_add_workspace(registry, &rows[i], 0, 0);
    registry_each(registry, join_slug, text);
    ck_assert_str_eq(text, "c beta e acme d ");
    registry_destroy(registry);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bootstrap");
    TCase *start = tcase_create("start"), *registry = tcase_create("S1, S2, S8, H7, E10");
    tcase_set_timeout(start, 30);
    tcase_add_checked_fixture(start, begin, end);
    tcase_add_test(start, first_start);
    tcase_add_test(start, first_start_without_defaults);
    tcase_add_test(start, grants_make_what_is_missing);
    tcase_add_loop_test(start, key_of_another_workspace_is_refused, 0, 2);
    tcase_add_test(start, one_key_for_two_workspaces_is_refused);
    suite_add_tcase(suite, start);
    tcase_add_test(registry, registry_finds);
    tcase_add_test(registry, registry_refuses_doubles);
    tcase_add_test(registry, registry_keys);
    tcase_add_test(registry, registry_members);
    tcase_add_test(registry, registry_knows_no_address_too_long);
    tcase_add_test(registry, references_keep_a_workspace);
    tcase_add_test(registry, each_workspace_is_visited_once);
    suite_add_tcase(suite, registry);
    return support_run(suite);
}
