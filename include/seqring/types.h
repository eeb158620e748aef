/* Element types and row sets shared by the public calls. */
#ifndef SEQRING_TYPES_H
#define SEQRING_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Element type of a tensor in memory, in the machine's byte order. */
typedef enum sr_dtype {
  SR_F16,  /* IEEE 754 binary16 */
  SR_BF16, /* bfloat16: the upper half of a binary32 */
  SR_F32,
  SR_F64,
  SR_I8, /* integers: of files, never of attention's tensors */
  SR_U8,
  SR_I32,
  SR_I64
} sr_dtype;

/* Bytes of one element; 0 for a value that is no sr_dtype. Not collective. */
size_t sr_dtype_size(sr_dtype dtype);

/* As in "float16", "bfloat16", "float32", "uint8" or "int64"; "?" for a value that is no sr_dtype. Not collective. */
const char *sr_dtype_name(sr_dtype dtype);

/* Whether it is a type of real numbers. Not collective. */
bool sr_dtype_is_float(sr_dtype dtype);

enum {
  SR_HEAD_DIM_MAX = 512, /* elements of a head */
  SR_SEGMENT = 1024      /* keys whose sums are formed as one, whatever the number of ranks: ranks' keys begin at its
                            multiples */
};

/* A run of tokens: rows start, start + 1, ..., start + count - 1 of a tensor's first dimension. */
typedef struct sr_span {
  int64_t start, count;
} sr_span;

/* The rows of a tensor that one rank holds: spans in ascending order that do not touch one another. In memory the
 * spans lie one behind the other. The spans belong to the object that the call was made on. */
typedef struct sr_rows {
  int64_t count; /* rows in all */
  int n_spans;
  const sr_span *span;
} sr_rows;

#ifdef __cplusplus
}
#endif
#endif
