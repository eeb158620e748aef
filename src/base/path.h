/* Names of files. */
#ifndef SR_BASE_PATH_H
#define SR_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Whether two names stand for one file that exists, by links or otherwise. */
bool sr_same_existing(const char *a, const char *b);

/* The folder that path lies in, cut where it has more than size - 1 bytes. */
void sr_folder_of(const char *path, char *folder, size_t size);

#endif
