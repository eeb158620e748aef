/* Files of models: datasets and one JSON text, made by sr_output and read back with the same mistrust as any input. */
#ifndef SR_IO_MODEL_FILE_H
#define SR_IO_MODEL_FILE_H

#include <seqring/io.h>

typedef struct sr_model_file {
  const char *path; /* the caller's */
  int fd;
  uint64_t inode, size;
  int64_t mtime_ns;
  int64_t n_datasets;
  sr_dataset_info *dataset; /* contiguous, in native byte order */
  char *text;               /* the JSON */
} sr_model_file;

/* Looks at a file in a forked child and opens it for reading. format and version are the attribute that it must have,
 * text is the name of the one with the JSON. In any case close it afterwards. Not collective; call it before MPI_Init,
 * since it forks. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_model_file_open(const char *path, const char *format, const char *version, const char *text,
                             sr_model_file *file);
void sr_model_file_close(sr_model_file *file);

/* Opens on all ranks what rank 0 has opened, so that each can read; path is this rank's. Collective. Errors:
 * SR_ERR_INPUT (also where it has changed meanwhile), SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_model_file_share(MPI_Comm comm, const char *path, sr_model_file *file);

/* The dataset of a name, or NULL. */
const sr_dataset_info *sr_model_file_find(const sr_model_file *file, const char *name);

/* Bytes of a row, or of a number of a vector. */
uint64_t sr_model_file_row_bytes(const sr_dataset_info *dataset);

/* All elements of a dataset, or some of its rows. Errors: SR_ERR_INPUT. */
sr_status sr_model_file_read(const sr_model_file *file, const sr_dataset_info *dataset, int64_t first, int64_t count,
                             void *to);

#endif
