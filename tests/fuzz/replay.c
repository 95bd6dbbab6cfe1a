/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The main of a fuzz target that is not linked with libFuzzer: gives every file of the folders and files
 * named on the command line to LLVMFuzzerTestOneInput, in the order of their names, and says so in TAP.
 * A crash is the failure; the file at fault is the last one named on standard output.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    uint8_t *data;
    size_t size;

    if (file == NULL || fstat(fileno(file), &st) != 0) {
        perror(path);
        exit(1);
    }
    printf("# %s\n", path);
    /* Of the exact size, so that the sanitizer sees a read of one byte past the end. */
    size = (size_t)st.st_size;
    data = malloc(size);
    if ((data == NULL && size > 0) || fread(data, 1, size, file) != size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static unsigned replay_folder(const char *path)
{
    struct dirent **names;
    unsigned count = 0;
    int found = scandir(path, &names, NULL, alphasort);

    if (found < 0) {
        perror(path);
        exit(1);
    }
    for (int i = 0; i < found; i++) {
        char child[4096];
        if (names[i]->d_name[0] != '.') {
            snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
            count += replay_file(child);
        }
        free(names[i]);
    }
    free(names);
    return count;
}

int main(int argc, char **argv)
{
    /* Names must be out before a crash. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        struct stat st;
        unsigned count;

        if (stat(argv[i], &st) != 0) {
            perror(argv[i]);
            return 1;
        }
        count = S_ISDIR(st.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);
        printf("ok %d - %u inputs replayed without a finding\n", i, count);
    }
    return 0;
}
