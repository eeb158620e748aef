/* HDF5 files of attention inputs and outputs: what libseqring_io adds to libseqring.
 *
 * Input: datasets q [q_len, q_heads, head_dim], k [kv_len, kv_heads, head_dim] and v [kv_len, kv_heads, value_dim] of
 * one group, all float16, float32 or float64, or bfloat16 (uint16 with the attribute dtype = "bfloat16"). Contiguous
 * datasets are read with pread(2); chunked ones (deflate, shuffle, fletcher32) and big-endian ones through HDF5.
 * Where the group has a dataset documents [documents], of int32 or int64, they do not see one another: it tells the
 * first key of each, as sr_mask does. External storage, soft, external and user-defined links, virtual datasets and
 * other filters are refused.
 *
 * Output: datasets in the root group, of attention o [q_len, q_heads, value_dim] and lse [q_len, q_heads]. The file has
 * its final name only once it is complete.
 */
#ifndef SEQRING_IO_H
#define SEQRING_IO_H

#include <mpi.h>
#include <stdbool.h>

#include "status.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SR_PATH_MAX = 4096, SR_NAME_MAX = 256 };

/* One dataset of a file; in a listing also a group or a link, with no dimensions and its kind as type. */
typedef struct sr_dataset_info {
  char name[SR_NAME_MAX];
  int rank;            /* number of dimensions */
  int64_t dims[4];     /* the first four of them */
  bool readable;       /* of an element type and a storage that seqring reads */
  sr_dtype dtype;      /* when readable */
  char type[64];       /* the element type in words */
  char storage[96];    /* the storage in words, with its filters */
  int64_t offset;      /* byte of the file at which the elements lie in row-major order and native byte order, or -1 */
  uint64_t file_bytes; /* bytes of the file that hold it */
} sr_dataset_info;

typedef enum sr_input_tensor {
  SR_INPUT_Q,
  SR_INPUT_K,
  SR_INPUT_V,
  SR_INPUT_DOCUMENTS,
  SR_INPUT_DATASETS
} sr_input_tensor;

/* An input that has been looked at and found good. Plain bytes: may be broadcast. */
typedef struct sr_input_info {
  char path[SR_PATH_MAX];
  char group[SR_PATH_MAX];
  uint64_t device, inode, size; /* of the file, so that a change of it is noticed */
  int64_t mtime_ns;
  int64_t q_len, kv_len, q_heads, kv_heads, head_dim, value_dim;
  int64_t n_documents; /* 0 where there is no such dataset */
  sr_dtype dtype;      /* of q, k and v alike */
  sr_dataset_info dataset[SR_INPUT_DATASETS];
} sr_input_info;

/* Looks at an untrusted file in a forked child with limits on time and memory, so that a file which makes the HDF5
 * library crash or hang is an error like any other, and checks that q, k and v can be read and fit one another. group
 * is a path such as "/layer12"; NULL or "" is the root group. Not collective; call it before MPI_Init, since it forks.
 * Errors: SR_ERR_INPUT, SR_ERR_ARGUMENT, SR_ERR_RESOURCE. */
sr_status sr_input_probe(const char *path, const char *group, sr_input_info *info);

typedef struct sr_input sr_input;

/* Opens a probed input for reading, on any node that sees the file; fails when it has changed since. *input is NULL on
 * failure. Not collective. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_input_open(const sr_input_info *info, sr_input **input);

/* Reads rows of one dataset to memory: [rows->count, heads, width] of its dtype, in native byte order. Not collective.
 * Errors: SR_ERR_ARGUMENT (rows beyond the last, spans that do not ascend), SR_ERR_INPUT. */
sr_status sr_input_read(sr_input *input, sr_input_tensor tensor, const sr_rows *rows, void *to);

/* Rows of a dataset that are decoded together, those of a chunk; 1 where rows lie by themselves. A read that begins or
 * ends between multiples of it decodes rows that it does not return. Not collective. */
int64_t sr_input_chunk_rows(const sr_input *input, sr_input_tensor tensor);

/* Reads where the info.n_documents documents begin: ascending from 0 to at most kv_len, or it is an error. Not
 * collective. Errors: SR_ERR_INPUT. */
sr_status sr_input_documents(sr_input *input, int64_t *begin);

/* Closes it and sets *input to NULL, which is accepted too. Not collective. */
void sr_input_close(sr_input **input);

/* The first 256 datasets, groups and links of a group, in the order in which they were made where the file keeps it,
 * and whether the file is a complete output of seqring. Free it with sr_file_info_free. */
typedef struct sr_file_info {
  uint64_t size;
  int n_datasets;
  sr_dataset_info *dataset;
  bool is_output;   /* made by seqring */
  bool is_complete; /* an output that was finished; outputs only */
  char *provenance; /* its JSON text, or NULL */
} sr_file_info;

/* Looks at any HDF5 file, in a forked child as sr_input_probe does, and as there at a group or the root. Not
 * collective; call it before MPI_Init. Errors: SR_ERR_ARGUMENT (no path, a group's name that is too long),
 * SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_file_probe(const char *path, const char *group, sr_file_info *info);

/* Frees what a probe filled in, and zeroes it; accepts NULL. Not collective. */
void sr_file_info_free(sr_file_info *info);

enum { SR_OUTPUT_RANK_MAX = 3 };

/* A dataset of an output. Its rows, along the first dimension, are written one by one. */
typedef struct sr_output_dataset {
  const char *name;              /* shorter than SR_NAME_MAX, without '/', not "" or ".", and no other dataset's */
  const char *long_name, *units; /* attributes in the words of the CF conventions, or NULL for none */
  sr_dtype dtype;
  int rank; /* number of dimensions, 1 to SR_OUTPUT_RANK_MAX */
  int64_t dims[SR_OUTPUT_RANK_MAX];
  const char *dimension[SR_OUTPUT_RANK_MAX]; /* their names, or NULL: such as datasets may have, and none has; those of
                                                one name are of one length */
} sr_output_dataset;

/* An attribute of the root group: not "", and not creator, provenance or complete, which are seqring's; no two of one
 * name. */
typedef struct sr_output_text {
  const char *name, *text;
} sr_output_text;

/* The file an output becomes. Every rank passes the same values. */
typedef struct sr_output_spec {
  const char *path;
  const char *input; /* a file which the output must not overwrite, or NULL */
  int n_datasets;
  const sr_output_dataset *dataset;
  int n_texts;
  const sr_output_text *text;
  /* Told on rank 0 the name of the incomplete file as soon as there is one, for a signal handler; may be NULL. */
  void (*made)(void *made_data, const char *partial);
  void *made_data;
} sr_output_spec;

/* The datasets of an attention output: o [q_len, q_heads, value_dim] of out_dtype, and lse [q_len, q_heads] of
 * lse_dtype. Not collective. */
typedef enum sr_output_tensor { SR_OUTPUT_O, SR_OUTPUT_LSE, SR_OUTPUT_TENSORS } sr_output_tensor;
void sr_output_attention(int64_t q_len, int64_t q_heads, int64_t value_dim, sr_dtype out_dtype, sr_dtype lse_dtype,
                         sr_output_dataset dataset[SR_OUTPUT_TENSORS]);

typedef struct sr_output sr_output;

/* Makes a file beside spec->path, with its final size reserved on the disk, and opens it on every rank. A symbolic link
 * at spec->path is followed. A limit on file sizes is an error only where SIGXFSZ is ignored. Collective; *output is
 * NULL on failure. Errors: SR_ERR_ARGUMENT (no path, an impossible shape or name), SR_ERR_OUTPUT, SR_ERR_RESOURCE (disk
 * full, over quota, no memory), SR_ERR_MPI. */
sr_status sr_output_create(MPI_Comm comm, const sr_output_spec *spec, sr_output **output);

/* The name of the file while it is incomplete, for a signal handler that removes it; the same on every rank, since any
 * may be the one that lives to do it. Not collective. */
const char *sr_output_partial_path(const sr_output *output);

/* Writes rows of one dataset, the place in the spec's list of which is given: [rows->count, dims[1], dims[2]] of its
 * dtype. Each row is written once, by one rank. Not collective. Errors: SR_ERR_ARGUMENT (rows beyond the last, or
 * not in ascending order), SR_ERR_OUTPUT, SR_ERR_RESOURCE (disk full). */
sr_status sr_output_write(sr_output *output, int dataset, const sr_rows *rows, const void *from);

/* Completes the file: what all ranks wrote is brought to the disk, the JSON object provenance (the caller's, or NULL;
 * shapes and checksums are added) becomes an attribute of the root group, and the file gets its final name, replacing
 * what had it. mine is this rank's status so far: when any rank passes a failure, nothing is completed and that failure
 * is returned. Frees the output in every case, and removes the incomplete file on failure; *output is NULL afterwards.
 * Where it is NULL on every rank before, mine is returned, or SR_ERR_ARGUMENT. Collective. Errors: SR_ERR_ARGUMENT
 * (provenance is no JSON object), SR_ERR_INTERNAL (rows missing), SR_ERR_OUTPUT, SR_ERR_RESOURCE, SR_ERR_MPI, or that
 * of the rank that failed. */
sr_status sr_output_commit(sr_output **output, sr_status mine, const char *provenance);

#ifdef __cplusplus
}
#endif
#endif
