/*
 * The request is what is written down and what a receiver may check a signature of, so libcurl adds
 * nothing but Host and Content-Length. Each attempt resolves, connects and verifies anew.
 */
#include "engine/attempt.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/time.h"
#include "engine/callback.h"
#include "engine/internal.h"
#include "engine/job_json.h"
#include "engine/signature.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

int attempt_name_receiver(const struct sender_options *options, const struct workspace_row *row,
                          const struct delivery_given *given, char ret_name[URL_AUTHORITY_SIZE])
{
    cleanup(buf_finish) struct buf url = BUF_INIT;
    struct url_place place = {.host = ""};
    char inbox[INBOX_NAME_SIZE];
    struct err err;
    int status = callback_map(&row->settings, given->callback_url, &url);
    if (status < 0)
        return status;
    url_read_place(url.data, &place);
    if (reach_inbox(options->reach, row, url.data, given->base, inbox, &err) == REACH_INBOX)
        snprintf(ret_name, URL_AUTHORITY_SIZE, "inbox %lld/%s", (long long)row->pk, inbox);
    else
        url_format_authority(&place, ret_name);
    return 0;
}

/* -- the request's headers --------------------------------------------------------------------- */

static int add_header(struct attempt *attempt, const char *name, const char *value)
{
    cleanup(buf_finish) struct buf line = BUF_INIT;
    buf_puts(&line, name);
    buf_puts(&line, *value ? ": " : ";"); /* libcurl's way to have an empty one sent */
    buf_puts(&line, value);
    struct curl_slist *list =
        buf_failed(&line) ? NULL : curl_slist_append(attempt->headers, line.data);
    if (!list)
        return ERR_NO_MEMORY;
    attempt->headers = list;
    return 0;
}

static bool is_given(json_t *given, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach(given, key, value)
    {
        if (strcasecmp(key, name) == 0)
            return true;
    }
    return false;
}

/* One of ours, where the job gives none of that name (S25). */
static int add_own(struct attempt *attempt, json_t *given, const char *name, const char *value)
{
    struct buf *own = &attempt->own_headers;
    if (is_given(given, name))
        return 0;
    buf_putc(own, own->len ? ',' : '{');
    json_put_text(own, name);
    buf_putc(own, ':');
    json_put_text(own, value);
    return add_header(attempt, name, value);
}

/* What a delivery's request is made of. */
struct reading {
    struct attempt *attempt;
    const struct workspace_row *row;
    const struct delivery *delivery;
    const struct job *job;
    const char *version;
};

/* What a receiver verifies; a body that is cut is signed whole, as what a connection lost would be.
 */
static int sign(const struct reading *reading, json_t *given)
{
    struct attempt *attempt = reading->attempt;
    const char *id = reading->delivery->message;
    int64_t now = time_wall_ms() / 1000; /* which the receiver compares with its own */
    char time[24];
    cleanup(buf_finish) struct buf signature = BUF_INIT;
    snprintf(time, sizeof time, "%lld", (long long)now);
    int status = buf_failed(&attempt->body) ? ERR_NO_MEMORY : 0;
    if (status == 0)
        status = signature_put(reading->row->settings.callback.secrets, id, now, attempt->body.data,
                               attempt->body.len, &signature);
    if (status == 0)
        status = add_own(attempt, given, "webhook-id", id);
    if (status == 0)
        status = add_own(attempt, given, "webhook-timestamp", time);
    if (status == 0)
        status = add_own(attempt, given, "webhook-signature", signature.data);
    return status;
}

/* All of ours, as a JSON object too. */
static int add_all_own(const struct reading *reading, json_t *given)
{
    struct attempt *attempt = reading->attempt;
    char agent[64];
    snprintf(agent, sizeof agent, "understudy/%s", reading->version);
    int status = add_own(attempt, given, "Content-Type", "application/json");
    if (status == 0)
        status = add_own(attempt, given, "User-Agent", agent);
    if (status == 0 && *reading->row->settings.callback.secrets)
        status = sign(reading, given);
    if (!attempt->own_headers.len)
        buf_putc(&attempt->own_headers, '{');
    buf_putc(&attempt->own_headers, '}');
    return status;
}

/* Keeps libcurl from adding one of its own. */
static int withhold(struct attempt *attempt, json_t *given, const char *name)
{
    char line[32];
    if (is_given(given, name))
        return 0;
    snprintf(line, sizeof line, "%s:", name);
    struct curl_slist *list = curl_slist_append(attempt->headers, line);
    if (!list)
        return ERR_NO_MEMORY;
    attempt->headers = list;
    return 0;
}

/* The job's headers as they were given, then ours, then those that keep libcurl from adding its
 * own. */
static int compose_headers(const struct reading *reading, json_t *given)
{
    static const char *const withheld[] = {"Accept", "Expect", "Transfer-Encoding"};
    int status = 0;
    const char *name;
    json_t *value;
    json_object_foreach(given, name, value)
    {
        if (status == 0)
            status = add_header(reading->attempt, name, json_string_value(value));
    }
    if (status == 0)
        status = add_all_own(reading, given);
    for (size_t i = 0; status == 0 && i < sizeof withheld / sizeof *withheld; i++)
        status = withhold(reading->attempt, given, withheld[i]);
    return status;
}

/* -- what is sent, and where ------------------------------------------------------------------- */

/* Whether the URL means an inbox: one of the workspace's, or else none that may be sent to. */
static void find_inbox(struct attempt *attempt, const struct workspace_row *row, const char *base)
{
    enum reach_inbox found =
        reach_inbox(attempt->reach, row, attempt->url.data, base, attempt->inbox, &attempt->reason);
    attempt->blocked = found == REACH_INBOX_REFUSED;
}

static int take_input(const struct delivery_input *input, void *arg)
{
    const struct reading *reading = arg;
    struct attempt *attempt = reading->attempt;
    if (!input->callback_url)
        return ERR_NOT_FOUND;
    int status = callback_map(&reading->row->settings, input->callback_url, &attempt->url);
    if (status == 0)
        find_inbox(attempt, reading->row, input->base);
    if (input->body)
        buf_puts(&attempt->body, input->body);
    else
        job_put_json(&attempt->body, reading->job, JOB_PLAIN);
    json_t *given = input->callback_headers ? json_read_text(input->callback_headers, 0) : NULL;
    if (status == 0 && input->callback_headers && !given)
        status = ERR_NO_MEMORY;
    if (status == 0)
        status = compose_headers(reading, given);
    json_decref(given);
    return status;
}

static int read_request(struct attempt *attempt, struct engine *engine, struct db *db,
                        const struct delivery *delivery, const char *version)
{
    struct workspace_row row;
    struct job job;
    memory_forget_lack();
    registry_read_row(engine->registry, attempt->workspace, &row);
    attempt->timeout = callback_timeout(&row.settings);
    attempt->connect_timeout = callback_connect_timeout(&row.settings);
    struct reading reading = {attempt, &row, delivery, &job, version};
    int status = job_by_id(db, row.pk, delivery->job_id, &job);
    if (status == 0)
        status = delivery_input(db, delivery->seq, take_input, &reading);
    if (status < 0)
        return status;
    attempt->body_len = attempt->body.len;
    if (delivery->cut >= 0 && (size_t)delivery->cut < attempt->body_len)
        attempt->body_len = (size_t)delivery->cut;
    if (buf_failed(&attempt->url) || buf_failed(&attempt->body) ||
        buf_failed(&attempt->own_headers))
        return ERR_NO_MEMORY;
    if (!url_read_place(attempt->url.data, &attempt->place))
        attempt->place = (struct url_place){.host = ""};
    return memory_lacked() ? ERR_NO_MEMORY : 0;
}

/* -- the transfer ------------------------------------------------------------------------------ */

static void format_address(const struct sockaddr *address, char ret_text[ATTEMPT_ADDRESS_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *ip = (const struct sockaddr_in6 *)(const void *)address;
        inet_ntop(AF_INET6, &ip->sin6_addr, host, sizeof host);
        snprintf(ret_text, ATTEMPT_ADDRESS_SIZE, "[%s]:%d", host, ntohs(ip->sin6_port));
    } else {
        const struct sockaddr_in *ip = (const struct sockaddr_in *)(const void *)address;
        inet_ntop(AF_INET, &ip->sin_addr, host, sizeof host);
        snprintf(ret_text, ATTEMPT_ADDRESS_SIZE, "%s:%d", host, ntohs(ip->sin_port));
    }
}

/* The address is the one that is connected to, whatever its name says by then. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct attempt *attempt = arg;
    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (address->family != AF_INET && address->family != AF_INET6)
        return CURL_SOCKET_BAD;
    if (!reach_allows(attempt->reach, attempt->place.host, &address->addr, &attempt->reason)) {
        attempt->blocked = true;
        return CURL_SOCKET_BAD;
    }
    attempt->opened = true;
    format_address(&address->addr, attempt->address);
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int set_up(struct attempt *attempt, const struct sender_options *options)
{
    CURL *easy = attempt->easy = curl_easy_init();
    bool set = true; /* each of them guards something, and libcurl keeps copies */
    if (!easy)
        return ERR_NO_MEMORY;
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_PRIVATE, attempt);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_QUICK_EXIT,
                                        1L); /* a name that is looked up holds nobody up */
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, attempt->detail);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_PROXY, "");
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, attempt);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, answer_take_head);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_HEADERDATA, &attempt->answer);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, answer_take_body);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_WRITEDATA, &attempt->answer);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)attempt->timeout);
    set &= CURLE_OK ==
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)attempt->connect_timeout);
    set &= CURLE_OK ==
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)attempt->body_len);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_POSTFIELDS, attempt->body.data);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_HTTPHEADER, attempt->headers);
    set &= CURLE_OK == curl_easy_setopt(easy, CURLOPT_URL, attempt->url.data);
    if (options->trust)
        set &= trust_use(options->trust, easy);
    return set ? 0 : ERR_NO_MEMORY;
}

bool attempt_lacked_memory(const struct attempt *attempt, CURLcode code)
{
    curl_off_t heard_after = 0;
    curl_easy_getinfo(attempt->easy, CURLINFO_STARTTRANSFER_TIME_T, &heard_after);
    return code == CURLE_OUT_OF_MEMORY && heard_after == 0;
}

int attempt_set_up_again(struct attempt *attempt, const struct sender_options *options)
{
    curl_easy_cleanup(attempt->easy);
    answer_finish(&attempt->answer);
    attempt->answer = (struct answer){.has_head = false};
    attempt->opened = false;
    return set_up(attempt, options);
}

/* It may not even be tried. */
static void refuse(struct attempt *attempt)
{
    attempt->answer.retry_after = -1;
    attempt->error = attempt->reason;
    attempt_fill_row(attempt, ATTEMPT_BLOCKED, 0);
}

int attempt_create(const struct sender_options *options, struct engine *engine,
                   struct workspace *workspace, struct db *db, const struct delivery *delivery,
                   struct attempt **ret_attempt)
{
    struct attempt *attempt = calloc(1, sizeof *attempt);
    if (!attempt)
        return ERR_NO_MEMORY;
    delivery_end_init(&attempt->end, engine, workspace);
    attempt->end.delivery = delivery->seq;
    attempt->end.sending = delivery->sending;
    attempt->end.attempt.sent_at = time_steady_ms();
    attempt->reach = options->reach;
    attempt->workspace = workspace;
    atomic_fetch_add(&workspace->references, 1);
    memcpy(attempt->delivery, delivery->id, sizeof attempt->delivery);
    int status = read_request(attempt, engine, db, delivery, options->version);
    if (status == 0 && attempt->blocked)
        refuse(attempt);
    else if (status == 0)
        status = *attempt->inbox ? attempt_set_up_inbox(attempt) : set_up(attempt, options);
    if (status < 0) {
        attempt_destroy(attempt);
        return status;
    }
    *ret_attempt = attempt;
    return 0;
}

void attempt_destroy(struct attempt *attempt)
{
    if (!attempt)
        return;
    curl_easy_cleanup(attempt->easy);
    curl_slist_free_all(attempt->headers);
    buf_finish(&attempt->url);
    buf_finish(&attempt->own_headers);
    buf_finish(&attempt->body);
    buf_finish(&attempt->head);
    inbox_reply_finish(&attempt->reply);
    answer_finish(&attempt->answer);
    workspace_release(attempt->workspace);
    free(attempt);
}

/* -- its end ----------------------------------------------------------------------------------- */

static void end_transfer(struct attempt *attempt)
{
    curl_easy_cleanup(attempt->easy);
    attempt->easy = NULL;
    curl_slist_free_all(attempt->headers);
    attempt->headers = NULL;
}

enum attempt_outcome attempt_judge(struct attempt *attempt, long status)
{
    if (status >= 200 && status < 300)
        return ATTEMPT_DELIVERED;
    if (status >= 300 && status < 400)
        err_set(&attempt->error, 0, "the receiver answered %ld, and redirects are not followed",
                status);
    else if (status == 410)
        err_set(&attempt->error, 0, "the receiver answered 410: it wants no more of this");
    else
        err_set(&attempt->error, 0, "the receiver answered %ld", status);
    return status == 410 ? ATTEMPT_GONE : ATTEMPT_FAILED;
}

static enum attempt_outcome find_outcome(struct attempt *attempt, CURLcode code, long status)
{
    if (code == CURLE_OK && !attempt->answer.has_head)
        code = CURLE_PARTIAL_FILE; /* libcurl makes do with the beginning of a head */
    if (code == CURLE_OK)
        return attempt_judge(attempt, status);
    if (attempt->blocked && !attempt->opened) {
        attempt->error = attempt->reason;
        return ATTEMPT_BLOCKED;
    }
    attempt_explain(attempt, code, &attempt->error);
    return ATTEMPT_FAILED;
}

void attempt_fill_row(struct attempt *attempt, enum attempt_outcome outcome, long status)
{
    struct attempt_row *row = &attempt->end.attempt;
    const struct answer *answer = &attempt->answer;
    attempt->end.retry_after = answer->retry_after;
    row->outcome = outcome;
    row->duration = time_steady_ms() - row->sent_at;
    row->url = attempt->url.data;
    row->address = *attempt->address ? attempt->address : NULL;
    row->headers = attempt->own_headers.data;
    row->body = attempt->body.data;
    row->body_len = attempt->body_len;
    row->status = status;
    row->answer_headers = answer->headers.data;
    row->answer = answer->body.data;
    row->answer_len = answer->body.len;
    row->answer_bytes = (int64_t)answer->body_bytes;
    row->error = row->outcome == ATTEMPT_DELIVERED ? NULL : attempt->error.text;
}

void attempt_conclude(struct attempt *attempt, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(attempt->easy, CURLINFO_RESPONSE_CODE, &status);
    answer_read_head(&attempt->answer, time_wall_ms());
    attempt_fill_row(attempt, find_outcome(attempt, code, status),
                     attempt->answer.head.len && !attempt->answer.is_interim ? status : 0);
    end_transfer(attempt);
}

void attempt_put(struct attempt **list, struct attempt *attempt)
{
    attempt->next = *list;
    if (attempt->next)
        attempt->next->place_in_list = &attempt->next;
    attempt->place_in_list = list;
    *list = attempt;
}

void attempt_take_out(struct attempt *attempt)
{
    *attempt->place_in_list = attempt->next;
    if (attempt->next)
        attempt->next->place_in_list = attempt->place_in_list;
}
