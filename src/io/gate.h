/* What a dataset, and the way to it, may be. Everything here calls HDF5 on an untrusted file: it runs in the child of
 * isolate.h, closes nothing and frees nothing. */
#ifndef SR_IO_GATE_H
#define SR_IO_GATE_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include <seqring/io.h>

/* A file and a group of it. */
typedef struct sr_gate {
  const char *path;  /* as shown in messages */
  const char *group; /* likewise */
  hid_t file, in;    /* in: the group */
  uint64_t size;     /* of the file */
  bool integers;     /* datasets may be of integers, too */
} sr_gate;

/* Makes HDF5 silent and unable to load plug-ins, and opens a file and a group that hard links alone lead to. about
 * tells which file the path stood for; another one is refused. */
sr_status sr_gate_open(const char *path, const char *group, const struct stat *about, sr_gate *gate);

/* Describes one dataset. Fails with the reason, and info filled as far as it is known, when it is not one that seqring
 * reads: a hard link to a dataset of float16, bfloat16, float32 or float64 that lies in this file, whole, contiguous,
 * compact, or in chunks with no other filters than deflate, shuffle and fletcher32. */
sr_status sr_gate_dataset(const sr_gate *gate, const char *name, sr_dataset_info *info);

/* Reads, through HDF5, all of a small dataset of up to three dimensions or the ends of a large one, so that what
 * crashes crashes here. */
sr_status sr_gate_try(const sr_gate *gate, const sr_dataset_info *info);

#endif
