/* A weight in memory, and its products with rows of tokens. */
#ifndef SR_MODEL_MATRIX_H
#define SR_MODEL_MATRIX_H

#include <stdint.h>

#include <seqring/status.h>
#include <seqring/types.h>

/* [rows, columns] of float32, bfloat16 or int8; a vector has one row of float32. */
typedef struct sr_matrix {
  int64_t rows, columns;
  sr_dtype dtype;
  const void *elements;
  const float *scale; /* int8: [rows] */
} sr_matrix;

/* Floats of scratch that a product needs. */
int64_t sr_matrix_scratch(const sr_matrix *matrix);

/* y[t][r] = sum over c of x[t][c] w[r][c], + bias[r] where bias is not NULL, for n tokens and the rows [first, first +
 * count) of w. One row of y is y_row floats behind the last. A token's bits depend on n and on all else that is passed,
 * never on other threads. sr_matrix_prepare must have been called. */
void sr_matrix_multiply(const sr_matrix *w, int64_t first, int64_t count, const float *bias, const float *x, int64_t n,
                        float *y, int64_t y_row, float *scratch);

/* Some rows as float32. */
void sr_matrix_rows(const sr_matrix *w, int64_t first, int64_t count, float *to);

/* Loads OpenBLAS and makes it use one thread a product. Errors: SR_ERR_RESOURCE. */
sr_status sr_matrix_prepare(void);

/* The OpenBLAS that was loaded: its version, and the kernels that it has chosen. */
const char *sr_matrix_kernels(void);

#endif
