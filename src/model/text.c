#include "text.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"

static sr_status check(const char *path, FILE *file) {
  struct stat about;
  if (fstat(fileno(file), &about)) return sr_fail(SR_ERR_INPUT, "%s: it cannot be read: %s", path, strerror(errno));
  if (S_ISDIR(about.st_mode)) return sr_fail(SR_ERR_INPUT, "%s: it is a directory and no text", path);
  return SR_OK;
}

sr_status sr_text_open(const char *path, FILE **file) {
  *file = strcmp(path, "-") ? fopen(path, "rbe") : stdin;
  if (!*file) return sr_fail(SR_ERR_INPUT, "%s: the text cannot be opened: %s", path, strerror(errno));
  sr_status status = check(path, *file);
  if (status == SR_OK) return SR_OK;
  sr_text_close(*file);
  *file = NULL;
  return status;
}

void sr_text_close(FILE *file) {
  if (file && file != stdin) fclose(file);
}
