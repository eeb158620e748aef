/* Names of files. */
#ifndef SR_BASE_PATH_H
#define SR_BASE_PATH_H

#include <stdbool.h>

/* Whether two names stand for one file that exists, by links or otherwise. */
bool sr_same_existing(const char *a, const char *b);

#endif
