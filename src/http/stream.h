/*
 * Answers whose body is made while it is sent, for as long as somebody has something to say.
 * Meanwhile no thread waits: the connection is suspended until there is more.
 */
#ifndef UNDERSTUDY_HTTP_STREAM_H
#define UNDERSTUDY_HTTP_STREAM_H

#include "http/request.h"

#include <stdint.h>
#include <sys/types.h>

enum { STREAM_LATER = 0, STREAM_END = -1 };

/*
 * What is to be sent next: up to `max` bytes, and how many; or STREAM_LATER, and it is asked again
 * after stream_wake(), at the real time *ret_again, and when the server stops (from then on
 * request_server_stops() tells, and it is to end soon: a later STREAM_LATER ends it); or
 * STREAM_END. Not asked while the client takes nothing. The connection's HTTP thread.
 */
typedef ssize_t stream_reader(struct request *request, char *to, size_t max, int64_t *ret_again);

/* Answers; HEAD gets the head alone. What the reader needs is the request's state, whose `finish`
 * is called when the stream is over, or its client has gone. HTTP threads, from a handler. */
void respond_stream(struct request *request, const char *content_type, stream_reader *read);

/* There is more to be read. Any thread, which makes sure that the request is not over. */
void stream_wake(struct request *request);

#endif
