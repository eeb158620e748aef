/* The file an output becomes, as one process sees it: made and finished here by one rank, written in between by all. */
#ifndef SR_IO_OUTPUT_FILE_H
#define SR_IO_OUTPUT_FILE_H

#include <seqring/io.h>

/* Plain bytes: may be broadcast. */
typedef struct sr_output_file {
  char path[SR_PATH_MAX];    /* its final name, links resolved */
  char partial[SR_PATH_MAX]; /* its name until it is complete; empty when there is no file */
  uint64_t inode, size;
} sr_output_file;

/* Makes the file, reserves its space, and tells at which byte each dataset begins. On failure nothing is left. */
sr_status sr_output_file_make(const sr_output_spec *spec, sr_output_file *file, uint64_t *offset);

/* Bytes of a dataset's rows; 0 for a dataset that cannot be. */
uint64_t sr_output_row_bytes(const sr_output_dataset *dataset);

/* Opens it for writing rows, and not for reading: a client of NFS would read the rest of a page of which it is given a
 * part, and write that over what other nodes have written meanwhile. */
sr_status sr_output_file_open(const sr_output_file *file, int *fd);

/* Adds the provenance and the mark of completeness, and gives the file its final name, once all rows are on the disk.
 */
sr_status sr_output_file_finish(sr_output_file *file, const char *provenance);

/* Removes it unless it has its final name. */
void sr_output_file_remove(sr_output_file *file);

#endif
