/* A report's document, and its parts, for the tests of reports. */
#ifndef UNDERSTUDY_TESTS_REPORT_FIXTURE_H
#define UNDERSTUDY_TESTS_REPORT_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

/* A document with a bit of everything; ' stands for ". */
static const char plain[] =
    "{'understudy':'0.1.0','version':1,'generated_at':'2026-01-02T03:04:05.678Z',\n"
    "'runs':['one'],'workspaces':2,'requests':{'total':7,'unattributed':1},\n"
    "'covered':{'exercised':1,'of':3},\n"
    "'outcomes':[\n"
    "{'id':'make:201','operation':'make','status':201,'basis':['D'],'summary':'m','count':5},\n"
    "{'id':'make:429','operation':'make','status':429,'basis':['P','A'],'count':0},\n"
    "{'id':'make:429:slow','operation':'make','status':429,'basis':['A'],'count':0},\n"
    "{'id':'read:200','operation':'read','status':200,'basis':[],'summary':'r','count':0}],\n"
    "'unlisted':[{'operation':null,'status':404,'count':1},{'operation':'make','status':null,"
    "'count':1}],\n"
    "'findings':[{'id':'fast','severity':'info','what':'f','why':'w','count':2},\n"
    "{'id':'typo','severity':'error','what':'t','why':'y','count':3,'examples':['a','b']}],\n"
    "'request_ids':{'total':3,'repeated':1,'reused':1,'items':[{'operation':'make',"
    "'request_id':'r1','sent':2,'made':1,'known':1,'failed':0,'other_bodies':1}],'left_out':2},\n"
    "'polling':{'jobs':2,'polls':9,'after_end':1,'items':[{'job':'0a','polls':9,'after_end':1,"
    "'shortest':'12ms','ended':true}],'left_out':1}}\n";

static inline json_t *parse(const char *text)
{
    char copy[8192];
    json_error_t error;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_t *json = json_loads(copy, JSON_DECODE_ANY, &error);
    ck_assert_msg(json != NULL, "%s: %s", text, error.text);
    return json;
}

static inline struct report *read_report(const json_t *document)
{
    struct report *report = NULL;
    struct err err = {""};
    ck_assert_msg(report_read(document, &report, &err) == 0, "%s", err.text);
    return report;
}

/* The document again, after it was read. */
static inline json_t *document_of(const struct report *report)
{
    struct buf out = BUF_INIT;
    report_json(report, &out);
    json_t *document = json_loadb(out.data, out.len, 0, NULL);
    ck_assert_ptr_nonnull(document);
    buf_finish(&out);
    return document;
}

/* What `path` leads to, as "outcomes/0/count". */
static inline json_t *at(json_t *document, const char *path)
{
    while (document && *path) {
        char name[40];
        size_t len = strcspn(path, "/");
        snprintf(name, sizeof name, "%.*s", (int)len, path);
        document = json_is_array(document) ? json_array_get(document, (size_t)atoi(name))
                                           : json_object_get(document, name);
        path += len + (path[len] == '/');
    }
    return document;
}

/* Replaces what `path` leads to; NULL takes it away. */
static inline void put(json_t *document, const char *path, json_t *value)
{
    char parent[80];
    const char *slash = strrchr(path, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) : 0, path);
    json_t *within = at(document, parent);
    const char *name = slash ? slash + 1 : path;
    if (json_is_array(within))
        json_array_set_new(within, (size_t)atoi(name), value);
    else if (value)
        json_object_set_new(within, name, value);
    else
        json_object_del(within, name);
}

static inline int64_t number(json_t *document, const char *path)
{
    return json_integer_value(at(document, path));
}

static inline const char *text_at(json_t *document, const char *path)
{
    return json_string_value(at(document, path));
}

#endif
