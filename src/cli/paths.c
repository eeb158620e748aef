#include "paths.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/path.h"

/* The same name in the same folder. dirname and basename change their text. */
static bool same_new(char *a_dir, char *a_base, char *b_dir, char *b_base) {
  return a_dir && a_base && b_dir && b_base && !strcmp(basename(a_base), basename(b_base)) &&
         sr_same_existing(dirname(a_dir), dirname(b_dir));
}

bool sr_same_file(const char *a, const char *b) {
  if (sr_same_existing(a, b)) return true;
  char *text[4] = {strdup(a), strdup(a), strdup(b), strdup(b)};
  bool same = same_new(text[0], text[1], text[2], text[3]);
  for (int i = 0; i < 4; i++) free(text[i]);
  return same;
}

sr_status sr_check_differ(const char *option, const char *path, const char *other, const char *what) {
  if (!path[0] || !other[0] || !sr_same_file(path, other)) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "--%s: '%s' is the %s", option, path, what);
}
