/* Fails writes to the files of an SQLite database, for tests of what a full or broken disk does.
 *
 * Loaded before libc. The file that the variable FAULTS names says what fails while it is there:
 * "<w|s> <errno> <number>": writes or syncs, with this error, from this one on. A file that replaces
 * it begins to count anew. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic ino_t counted;
static atomic_int count;

static int is_database(int fd) {
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strstr(path, ".db") != NULL;
}

/* The error that an operation has to fail with, or 0. */
static int fault(char kind, int fd) {
    const char *name = getenv("FAULTS");
    struct stat stat_of;
    if (name == NULL || stat(name, &stat_of) != 0 || !is_database(fd))
        return 0;
    FILE *file = fopen(name, "r");
    if (file == NULL)
        return 0;
    char wanted = 0;
    int error = 0, from = 0;
    int read = fscanf(file, "%c %d %d", &wanted, &error, &from);
    fclose(file);
    if (read != 3 || wanted != kind)
        return 0;
    if (atomic_exchange(&counted, stat_of.st_ino) != stat_of.st_ino)
        atomic_store(&count, 0);
    return atomic_fetch_add(&count, 1) >= from ? error : 0;
}

#define FAIL(kind, fd)                                                                             \
    do {                                                                                           \
        int error = fault(kind, fd);                                                               \
        if (error != 0) {                                                                          \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

ssize_t write(int fd, const void *bytes, size_t length) {
    FAIL('w', fd);
    ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return next(fd, bytes, length);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    FAIL('w', fd);
    ssize_t (*next)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    return next(fd, bytes, length, offset);
}

int fsync(int fd) {
    FAIL('s', fd);
    int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
    return next(fd);
}

int fdatasync(int fd) {
    FAIL('s', fd);
    int (*next)(int) = dlsym(RTLD_NEXT, "fdatasync");
    return next(fd);
}
