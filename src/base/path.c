#include "path.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool sr_same_existing(const char *a, const char *b) {
  struct stat x, y;
  return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

void sr_folder_of(const char *path, char *folder, size_t size) {
  const char *slash = strrchr(path, '/');
  const int length = !slash ? 0 : slash == path ? 1 : (int)(slash - path);
  snprintf(folder, size, "%.*s", length ? length : 1, length ? path : ".");
}
