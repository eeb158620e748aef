#ifndef SR_CLI_PATHS_H
#define SR_CLI_PATHS_H

#include <stdbool.h>

/* Whether two names stand for one file, which need not exist yet. */
bool sr_same_file(const char *a, const char *b);

#endif
