/* Plain files: opening what must be a regular file, and reading and writing all of a stretch. */
#ifndef SR_IO_FILE_H
#define SR_IO_FILE_H

#include <stdint.h>
#include <sys/stat.h>

#include <seqring/status.h>

/* The end of a path, short enough to leave a message room for what is wrong. */
const char *sr_shown(const char *path);

/* Room for what names a file and one of its datasets in a message. */
enum { SR_WHERE_TEXT = 900 };

/* Opens an existing regular file for reading, without blocking on what is none. */
sr_status sr_file_open(const char *path, int *fd, struct stat *about);

/* Time of the last change, in nanoseconds. */
int64_t sr_file_mtime(const struct stat *about);

/* Whether it is the file, as it was, of that number, size and time of the last change. Device numbers are a node's own,
 * and it may have been looked at on another node. Errors: SR_ERR_INPUT. */
sr_status sr_file_check_same(const char *path, uint64_t inode, uint64_t size, int64_t mtime_ns,
                             const struct stat *about);

/* Reads or writes all of [offset, offset + bytes); what names the file and the dataset in the message. A short file is
 * SR_ERR_INPUT; a full disk, a quota and a limit on file sizes are SR_ERR_RESOURCE. */
sr_status sr_file_read(int fd, const char *what, void *to, uint64_t bytes, uint64_t offset);
sr_status sr_file_write(int fd, const char *what, const void *from, uint64_t bytes, uint64_t offset);

/* Writes all of it and moves offset along; the errno of what went wrong, or 0. */
int sr_file_put(int fd, const void *from, uint64_t bytes, uint64_t *offset);

/* SR_ERR_RESOURCE for an errno that tells of a full disk or another limit, else SR_ERR_OUTPUT. */
sr_status sr_file_status(int error);

#endif
