#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path.h"

enum { NAME_KEPT = 200, TRIES = 100 };

static bool is_regular(const char *path, struct stat *about) {
  return !stat(path, about) && S_ISREG(about->st_mode);
}

bool sr_replace_target(const char *path, char *target, size_t size) {
  struct stat about;
  char *resolved = realpath(path, NULL); /* none of a pipe, which a link can lead to */
  const bool leads_nowhere = !resolved && !lstat(path, &about) && stat(path, &about);
  const bool fits = strlen(resolved ? resolved : path) < size;
  if (fits && !leads_nowhere) strcpy(target, resolved ? resolved : path);
  free(resolved);
  if (!fits) errno = ENAMETOOLONG;
  return fits && !leads_nowhere;
}

bool sr_may_replace(const char *path) {
  char folder[PATH_MAX];
  struct stat file, around;
  if (!is_regular(path, &file)) return true;
  sr_folder_of(path, folder, sizeof folder);
  if (stat(folder, &around) || !(around.st_mode & S_ISVTX)) return true;
  const uid_t me = geteuid();
  if (me == 0 || me == file.st_uid || me == around.st_uid) return true;
  errno = EPERM;
  return false;
}

int sr_replace_open(const char *path, char *partial, size_t size) {
  static const char mark[] = ".partial-";
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  struct stat old;
  const mode_t mode = is_regular(path, &old) ? 0600 : 0666;
  const size_t folder = (size_t)(name - path), kept = folder + strnlen(name, NAME_KEPT);
  if (kept + sizeof mark - 1 + 9 > size) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(partial, path, kept);
  memcpy(partial + kept, mark, sizeof mark - 1);
  for (int i = 0; i < TRIES; i++) {
    uint32_t bits;
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits) return -1;
    char number[9];
    snprintf(number, sizeof number, "%08" PRIx32, bits);
    memcpy(partial + kept + sizeof mark - 1, number, sizeof number);
    const int fd = open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd >= 0 || (errno != EEXIST && errno != EINTR)) return fd;
  }
  return -1;
}

/* A group's rights are no other group's. Where the file system has no permissions to give, it stays its owner's alone.
 */
static void take_after(int fd, const struct stat *old) {
  mode_t mode = old->st_mode & 0777;
  if (fchown(fd, old->st_uid, old->st_gid) && fchown(fd, (uid_t)-1, old->st_gid)) mode &= (mode_t)~070;
  fchmod(fd, mode);
}

bool sr_replace_finish(int fd, const char *partial, const char *path) {
  struct stat old;
  if (is_regular(path, &old)) take_after(fd, &old);
  return !rename(partial, path);
}
