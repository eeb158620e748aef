#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <seqring/io.h>

#include "base/error.h"

/* Linux moves a little less than 2 GiB a call. */
enum { SHOWN = 600, PIECE = 1 << 30 };

const char *sr_shown(const char *path) {
  size_t length = strlen(path);
  return length > SHOWN ? path + (length - SHOWN) : path;
}

int64_t sr_file_mtime(const struct stat *about) {
  return (int64_t)about->st_mtim.tv_sec * 1000000000 + about->st_mtim.tv_nsec;
}

sr_status sr_file_check_same(const char *path, uint64_t inode, uint64_t size, int64_t mtime_ns,
                             const struct stat *about) {
  if (about->st_ino == inode && (uint64_t)about->st_size == size && sr_file_mtime(about) == mtime_ns) return SR_OK;
  return sr_fail(
      SR_ERR_INPUT,
      "%s: it has changed since it was looked at, or is another file on this node: all must see the same one",
      sr_shown(path));
}

static sr_status check_regular(const char *path, int fd, struct stat *about) {
  if (fstat(fd, about)) return sr_fail(SR_ERR_INPUT, "%s: fstat: %s", sr_shown(path), strerror(errno));
  if (S_ISDIR(about->st_mode)) return sr_fail(SR_ERR_INPUT, "%s: it is a directory", sr_shown(path));
  if (!S_ISREG(about->st_mode)) return sr_fail(SR_ERR_INPUT, "%s: it is not a regular file", sr_shown(path));
  if (about->st_size == 0) return sr_fail(SR_ERR_INPUT, "%s: it is empty", sr_shown(path));
  return SR_OK;
}

sr_status sr_file_open(const char *path, int *fd, struct stat *about) {
  *fd = -1;
  if (strlen(path) >= SR_PATH_MAX) return sr_fail(SR_ERR_INPUT, "%s: the path is too long", sr_shown(path));
  do *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  while (*fd < 0 && errno == EINTR);
  if (*fd < 0) return sr_fail(SR_ERR_INPUT, "%s: cannot be opened: %s", sr_shown(path), strerror(errno));
  sr_status status = check_regular(path, *fd, about);
  if (status) {
    close(*fd);
    *fd = -1;
  }
  return status;
}

sr_status sr_file_read(int fd, const char *what, void *to, uint64_t bytes, uint64_t offset) {
  char *at = to;
  while (bytes > 0) {
    ssize_t n = pread(fd, at, bytes < PIECE ? bytes : PIECE, (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return sr_fail(SR_ERR_INPUT, "%s: cannot be read at byte %" PRIu64 ": %s", what, offset, strerror(errno));
    if (n == 0) return sr_fail(SR_ERR_INPUT, "%s: the file is truncated: it ends at byte %" PRIu64, what, offset);
    at += n;
    offset += (uint64_t)n;
    bytes -= (uint64_t)n;
  }
  return SR_OK;
}

sr_status sr_file_status(int error) {
  switch (error) {
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
  case ENOMEM:
  case EMFILE:
  case ENFILE:
    return SR_ERR_RESOURCE;
  default:
    return SR_ERR_OUTPUT;
  }
}

int sr_file_put(int fd, const void *from, uint64_t bytes, uint64_t *offset) {
  const char *at = from;
  while (bytes > 0) {
    ssize_t n = pwrite(fd, at, bytes < PIECE ? bytes : PIECE, (off_t)*offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : EIO;
    at += n;
    *offset += (uint64_t)n;
    bytes -= (uint64_t)n;
  }
  return 0;
}

sr_status sr_file_write(int fd, const char *what, const void *from, uint64_t bytes, uint64_t offset) {
  int error = sr_file_put(fd, from, bytes, &offset);
  if (error == 0) return SR_OK;
  return sr_fail(sr_file_status(error), "%s: cannot be written at byte %" PRIu64 ": %s", what, offset, strerror(error));
}
