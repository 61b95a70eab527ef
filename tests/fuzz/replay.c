/*
 * Runs a harness on files, or on all files of directories, in place of libFuzzer: so the corpora
 * are ordinary tests of every build. The name of the input under way is what a crash leaves behind.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned long inputs;

static bool replay_file(const char *path)
{
    struct stat about;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &about) < 0) {
        perror(path);
        return false;
    }
    /* Of just that size, so that a sanitizer sees a read behind it. */
    uint8_t *bytes = malloc((size_t)about.st_size);
    size_t len = bytes ? fread(bytes, 1, (size_t)about.st_size, file) : 0;
    fclose(file);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(bytes, len);
    free(bytes);
    inputs++;
    return true;
}

static int is_visible(const struct dirent *entry)
{
    return *entry->d_name != '.';
}

static bool replay_directory(const char *path)
{
    struct dirent **entries;
    bool good = true;
    int count = scandir(path, &entries, is_visible, alphasort);
    for (int i = 0; i < count; i++) {
        char *name;
        if (asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0)
            abort();
        good = replay_file(name) && good;
        free(name);
        free(entries[i]);
    }
    if (count > 0)
        free(entries);
    return good && count > 0;
}

int main(int argc, char **argv)
{
    bool good = argc > 1;
    for (int i = 1; i < argc; i++) {
        struct stat about;
        bool is_directory = stat(argv[i], &about) == 0 && S_ISDIR(about.st_mode);
        good = (is_directory ? replay_directory(argv[i]) : replay_file(argv[i])) && good;
    }
    printf("%lu inputs\n", inputs);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
