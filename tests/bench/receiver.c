/*
 * Receivers of callbacks, as fast as one thread can be, for the benchmark:
 *
 *     receiver GOOD SILENT
 *
 * listens on so many ports of loopback whose requests it answers, and on so many where it never
 * does, and prints them, a line each. A POST is answered with an empty 200, and its time noted; GET
 * gives the times, in milliseconds since the epoch, a line each. It ends with its standard input.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 16384, EVENTS = 256, TIMES_MAX = 1 << 20, BACKLOG = 1024 };

struct peer {
    int fd;
    int is_listener;
    size_t len;
    char bytes[REQUEST_MAX];
};

static int poller;
static long long times[TIMES_MAX];
static size_t time_count;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void watch(struct peer *peer)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, peer->fd, &event) < 0)
        fail("epoll_ctl");
}

static int listen_anywhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        fail("listen");
    printf("%d\n", ntohs(address.sin_port));
    return fd;
}

static struct peer *make_peer(int fd, int is_listener)
{
    struct peer *peer = malloc(sizeof *peer);
    if (!peer)
        fail("malloc");
    peer->fd = fd;
    peer->is_listener = is_listener;
    peer->len = 0;
    watch(peer);
    return peer;
}

static void drop(struct peer *peer)
{
    close(peer->fd);
    free(peer);
}

static void send_all(int fd, const char *text, size_t len)
{
    for (ssize_t sent; len && (sent = send(fd, text, len, MSG_NOSIGNAL)) > 0; len -= (size_t)sent)
        text += sent;
}

static void send_times(int fd)
{
    static char text[TIMES_MAX * 15];
    char head[128];
    size_t len = 0;
    for (size_t i = 0; i < time_count; i++)
        len += (size_t)sprintf(text + len, "%lld\n", times[i]);
    int size = snprintf(head, sizeof head,
                        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", len);
    send_all(fd, head, (size_t)size);
    send_all(fd, text, len);
}

/* Whether the request is there whole. */
static int is_whole(const struct peer *peer)
{
    const char *end = memmem(peer->bytes, peer->len, "\r\n\r\n", 4);
    const char *length = end ? strcasestr(peer->bytes, "\r\nContent-Length:") : NULL;
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return end && peer->len >= (size_t)(end + 4 - peer->bytes) + body;
}

static void read_peer(struct peer *peer)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    ssize_t got = read(peer->fd, peer->bytes + peer->len, REQUEST_MAX - 1 - peer->len);
    if (got <= 0) {
        drop(peer);
        return;
    }
    peer->len += (size_t)got;
    peer->bytes[peer->len] = '\0';
    if (!is_whole(peer))
        return;
    if (strncmp(peer->bytes, "GET", 3) == 0) {
        send_times(peer->fd);
    } else {
        if (time_count < TIMES_MAX)
            times[time_count++] = now_ms();
        send_all(peer->fd, answer, sizeof answer - 1);
    }
    drop(peer);
}

static void accept_all(const struct peer *listener)
{
    for (int fd; (fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
        make_peer(fd, 0);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    if (argc != 3) {
        fprintf(stderr, "usage: receiver GOOD SILENT\n");
        return 2;
    }
    poller = epoll_create1(EPOLL_CLOEXEC);
    for (long i = strtol(argv[1], NULL, 10); i > 0; i--)
        make_peer(listen_anywhere(), 1);
    for (long i = strtol(argv[2], NULL, 10); i > 0; i--)
        listen_anywhere();
    fflush(stdout);
    struct peer *input = make_peer(STDIN_FILENO, 0);
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct peer *peer = events[i].data.ptr;
            if (peer == input)
                return 0;
            if (peer->is_listener)
                accept_all(peer);
            else
                read_peer(peer);
        }
    }
}
