/* Runs a function in a forked child with limits, so that a crash or an endless loop in it is an error like any other.
 */
#ifndef SR_IO_ISOLATE_H
#define SR_IO_ISOLATE_H

#include <stddef.h>
#include <stdint.h>

#include <seqring/status.h>

/* Bytes of memory that the child gets on top of what the caller has. */
#define SR_ISOLATE_MEMORY ((size_t)4 << 30)

/* Seconds of wall clock that it gets for a file of so many bytes on the disk; of processor time it gets one less. HDF5
 * looks at each chunk of a file: it took a microsecond for one, in a file that had one every 120 bytes. */
int sr_isolate_seconds(uint64_t bytes);

/* What runs in the child. It sees the caller's memory as of the fork; nothing that it changes is seen by the caller but
 * the bytes at result. It need not free or close anything. */
typedef sr_status sr_isolated_fn(const void *request, void *result);

/* Runs fn(request, result) in a child that can neither print, nor write files, nor leave a core, and copies its
 * result[0..size) and its status with text back. When the child dies or takes too long, the status is SR_ERR_INPUT with
 * a text that names path. A damaged child may have written anything to result: check it. */
sr_status sr_isolate(const char *path, sr_isolated_fn *fn, const void *request, void *result, size_t size);

#endif
