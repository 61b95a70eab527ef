/*
 * The whole server inside a fuzzer: store, engine, APIs and HTTP threads, wired as main.c does, on
 * a store of the fuzzer's directory. It is talked to over socket pairs.
 */
#ifndef UNDERSTUDY_TESTS_FUZZ_PROGRAM_H
#define UNDERSTUDY_TESTS_FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

/* The documents' key, and their member: what the default workspace has. */
#define PROGRAM_KEY    "exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b"
#define PROGRAM_MEMBER "jane@acme.com"

struct program;

struct program_options {
    bool controlled; /* /_mock is there, for everybody, and rules act */
    bool sends;      /* callbacks, to inboxes alone */
    int max_processing;
};

/* Starts one; a failure ends the fuzzer. */
struct program *program_start(const struct program_options *options);
void program_stop(struct program *program);

/*
 * What kill -9 would leave: its files as they are between two transactions, in another place, and a
 * server that is started on them. The one before is stopped.
 */
struct program *program_crash(struct program *program);

/* Stops it, and leaves its file, whole, at `path`. */
void program_save(struct program *program, const char *path);

/* A new connection, as if from 127.0.0.1; to be closed. */
int program_connect(struct program *program);

#endif
