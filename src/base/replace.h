/* Files that take another's place when they are whole: until then they have a name beside it. */
#ifndef SR_BASE_REPLACE_H
#define SR_BASE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

/* The name to replace: that of the file which path is a link to, so that the link stays one, else path. Returns false
 * and sets errno where a link leads nowhere, or the name has `size` bytes or more. */
bool sr_replace_target(const char *path, char *target, size_t size);

/* Whether a file at path, which may be none, may be replaced by one of this process: where a folder is sticky, as /tmp
 * is, other users' files may not. Sets errno where not. */
bool sr_may_replace(const char *path);

/* Opens an empty file for reading and writing, whose name, path.partial-XXXXXXXX, goes to `partial`. Like mkostemp, but
 * with the permissions that the umask and the folder give to new files; to its owner alone where it is to replace one.
 * Returns -1 and sets errno on failure. */
int sr_replace_open(const char *path, char *partial, size_t size);

/* `partial`, open as fd, becomes path: with the permissions of the regular file that it replaces, and with its owner
 * and group, as far as this process may give them. Returns false and sets errno on failure; `partial` is still there
 * then. */
bool sr_replace_finish(int fd, const char *partial, const char *path);

#endif
