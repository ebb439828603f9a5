// Loaded into a process before its C library: writes down what it asks of the file system below a folder, call by call.
//
//   RECORD_BELOW  the folder
//   RECORD_TO     the file to write to: for each call a line "<what>\t<path>\t<other path>\t<bytes>", then so many bytes
//   RECORD_SPACE  so many bytes can be written before the disk is full
//   RECORD_DENY   files of this name there is no permission to open
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name, ...) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int is_below(const char* path) {
  const char* const folder = getenv("RECORD_BELOW");
  return folder != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static void record(const char* what, const char* path, const char* other, const void* data, size_t bytes) {
  static int log = -1;
  if (!is_below(path)) return;
  char line[2 * 4096];
  const int length = snprintf(line, sizeof line, "%s\t%s\t%s\t%zu\n", what, path, other, bytes);
  struct iovec parts[] = {{line, (size_t)length}, {(void*)data, bytes}};
  pthread_mutex_lock(&mutex);
  if (log < 0) log = (int)syscall(SYS_openat, AT_FDCWD, getenv("RECORD_TO"), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const ssize_t written = (ssize_t)syscall(SYS_writev, log, parts, 2);
  pthread_mutex_unlock(&mutex);
  if (written != (ssize_t)(length + bytes)) abort();
}

static void record_file(const char* what, int file, const void* data, size_t bytes) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = 0;
  record(what, path, "", data, bytes);
}

static int is_denied(const char* path) {
  const char* const denied = getenv("RECORD_DENY");
  if (denied == NULL || !is_below(path) || strlen(path) < strlen(denied)) return 0;
  return strcmp(path + strlen(path) - strlen(denied), denied) == 0;
}

#define OPEN(name)                                                      \
  int name(const char* path, int flags, ...) {                          \
    va_list rest;                                                       \
    va_start(rest, flags);                                              \
    const mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;   \
    va_end(rest);                                                       \
    if (is_denied(path)) return errno = EACCES, -1;                     \
    const int file = NEXT(name, path, flags, mode);                     \
    if (file >= 0 && (flags & O_CREAT)) record("create", path, "", "", 0); \
    return file;                                                        \
  }
OPEN(open)
OPEN(open64)

// How much of a write finds space. The last that does finds less than it asks for.
static size_t take_space(int file, size_t bytes) {
  static long space = -1;
  static int is_known = 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return bytes;
  path[length] = 0;
  if (!is_below(path)) return bytes;
  pthread_mutex_lock(&mutex);
  const char* const given = getenv("RECORD_SPACE");
  if (!is_known && given != NULL) space = atol(given);
  is_known = 1;
  const size_t taken = space < 0 || bytes <= (size_t)space ? bytes : (size_t)space;
  if (space >= 0) space -= (long)taken;
  pthread_mutex_unlock(&mutex);
  return taken;
}

ssize_t write(int file, const void* data, size_t bytes) {
  const size_t space = take_space(file, bytes);
  if (space == 0 && bytes > 0) {
    errno = ENOSPC;
    return -1;
  }
  const ssize_t written = NEXT(write, file, data, space);
  if (written > 0) record_file("write", file, data, (size_t)written);
  return written;
}

int fsync(int file) {
  const int status = NEXT(fsync, file);
  if (status == 0) record_file("sync", file, "", 0);
  return status;
}

int mkdir(const char* path, mode_t mode) {
  const int status = NEXT(mkdir, path, mode);
  if (status == 0) record("mkdir", path, "", "", 0);
  return status;
}

int rename(const char* from, const char* to) {
  const int status = NEXT(rename, from, to);
  if (status == 0) record("rename", from, to, "", 0);
  return status;
}

int unlink(const char* path) {
  const int status = NEXT(unlink, path);
  if (status == 0) record("remove", path, "", "", 0);
  return status;
}

int rmdir(const char* path) {
  const int status = NEXT(rmdir, path);
  if (status == 0) record("remove", path, "", "", 0);
  return status;
}
