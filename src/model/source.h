/* A model as somebody else's files have it: tensors by their foreign names, and what is said about them as JSON.
 *
 * Nothing in such files is trusted: sizes are checked against the file before they are used, and a fault is
 * SR_ERR_INPUT with the place and the reason. */
#ifndef SR_MODEL_SOURCE_H
#define SR_MODEL_SOURCE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include <seqring/status.h>

#include "element.h"

enum { SR_SOURCE_RANK_MAX = 4, SR_SOURCE_TENSORS_MAX = 1 << 20 };

typedef struct sr_source_tensor {
  char *name;
  sr_element element;
  int rank;                         /* number of dimensions, at least 1 */
  int64_t dims[SR_SOURCE_RANK_MAX]; /* the last one is contiguous in memory */
  uint64_t offset;                  /* of its first byte in the file */
  uint64_t row_bytes;               /* of a run along the last dimension */
  bool used;                        /* by the importer */
} sr_source_tensor;

typedef struct sr_source {
  const char *path; /* the caller's, of the file with the tensors */
  FILE *file;
  uint64_t size;
  json_t *metadata; /* an object: GGUF's keys, or a folder's files by their names */
  int64_t n_tensors;
  sr_source_tensor *tensor;
} sr_source;

/* Reads the heads of a GGUF file (versions 2 and 3) from an open file of that size, which the source closes; in any
 * case free the source afterwards. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_source_read_gguf(const char *path, FILE *file, uint64_t size, sr_source *source);

/* So a safetensors file, which has no metadata; tensors of integers are left out. */
sr_status sr_source_read_safetensors(const char *path, FILE *file, uint64_t size, sr_source *source);

void sr_source_free(sr_source *source);

/* Sets the bytes of a tensor's rows and tells those of all; false where its type cannot have its shape. */
bool sr_source_count(sr_source_tensor *tensor, uint64_t *bytes);

/* The tensor of a name, or NULL. */
sr_source_tensor *sr_source_find(const sr_source *source, const char *name);

/* Rows (runs along the last dimension) as float32. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_source_rows(const sr_source *source, const sr_source_tensor *tensor, int64_t first, int64_t count,
                         float *to);

#endif
