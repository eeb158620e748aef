/* What kernels do to rows of tensors, with the instruction set in use (SEQRING_ISA): lengths, and rows to columns. */
#include "base/convert.h"
#include "rig.h"

/* Lengths whose squares are exact, of numbers of elements around those that are summed side by side. */
static void norms(void) {
  static const sr_dtype dtypes[] = {SR_F16, SR_BF16, SR_F32, SR_F64};
  const sr_kernel *kernel = kernel_of(SR_F32);
  double x[SR_WIDEST_HEAD], store[SR_WIDEST_HEAD];
  for (int t = 0; t < 4; t++)
    for (int64_t n = 0; n <= 40; n++) {
      double sum = 0;
      for (int64_t i = 0; i < n; i++) x[i] = (double)(i % 2 ? i : -i) / 4, sum += x[i] * x[i];
      sr_store_row(dtypes[t], store, n, x);
      CU_ASSERT(kernel->row->norm(dtypes[t], store, n) == sqrt(sum));
      for (int64_t i = 0; i < n; i++) {
        const double kept = x[i];
        x[i] = n % 2 ? (double)NAN : -(double)INFINITY;
        sr_store_row(dtypes[t], store, n, x);
        CU_ASSERT(kernel->row->norm(dtypes[t], store, n) == (double)INFINITY);
        x[i] = kept;
      }
    }
  x[0] = 1e200;
  CU_ASSERT(kernel->row->norm(SR_F64, x, 1) == (double)INFINITY);
}

enum { MOST = 40, ROOM = MOST * (MOST + 3) };

/* Elements of `size` bytes, numbered: each must come to its place, and what lies between columns must stay. */
static void check_transpose(void (*transpose)(const void *, ptrdiff_t, ptrdiff_t, ptrdiff_t, void *, ptrdiff_t),
                            size_t size, ptrdiff_t rows, ptrdiff_t columns) {
  const ptrdiff_t stride = columns + 3, to_stride = rows + 1;
  unsigned char from[ROOM * sizeof(double)], to[ROOM * sizeof(double)], want[ROOM * sizeof(double)];
  for (size_t i = 0; i < sizeof from; i++) from[i] = (unsigned char)(i * 31 % 251);
  memset(to, 0xff, sizeof to);
  memset(want, 0xff, sizeof want);
  for (ptrdiff_t r = 0; r < rows; r++)
    for (ptrdiff_t c = 0; c < columns; c++)
      memcpy(want + (size_t)(c * to_stride + r) * size, from + (size_t)(r * stride + c) * size, size);
  transpose(from, stride, rows, columns, to, to_stride);
  CU_ASSERT(memcmp(to, want, sizeof to) == 0);
}

static void rows_become_columns(void) {
  for (int t = 0; t < PRODUCTS; t++) {
    const sr_kernel *kernel = kernel_of(products[t]);
    for (ptrdiff_t rows = 0; rows <= MOST; rows++)
      for (ptrdiff_t columns = 0; columns <= MOST; columns++) {
        check_transpose(kernel->row->transpose, sr_unit_bytes(kernel), rows, columns);
        check_transpose(kernel->row->transpose_f64, sizeof(double), rows, columns);
      }
  }
}

int main(void) {
  return run_kernel_suite("rows",
                          (const test_case[]){{"lengths", norms}, {"rows become columns", rows_become_columns}, {0}});
}
