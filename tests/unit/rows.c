/* What kernels do to rows of tensors, with the instruction set in use (SEQRING_ISA): lengths, and rows to columns
 * and to output. */
#include "base/convert.h"
#include "rig.h"

/* Lengths whose squares are exact, of numbers of elements around those that are summed side by side. */
static void norms(void) {
  static const sr_dtype dtypes[] = {SR_F16, SR_BF16, SR_F32, SR_F64};
  const sr_kernel *kernel = kernel_of(SR_F32);
  double x[SR_HEAD_DIM_MAX], store[SR_HEAD_DIM_MAX];
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

/* Doubles become what sr_store_row makes of each, in its place: NaN with a payload and a sign, numbers that float has
 * not, or rounds up, to even, to subnormals or to Inf. What lies behind the last row must stay. */
static void check_output(void (*output)(const double *, ptrdiff_t, ptrdiff_t, ptrdiff_t, void *), sr_dtype dtype,
                         ptrdiff_t rows, ptrdiff_t columns) {
  static const double odd[] = {1 + 0x1p-24, 1 + 0x3p-24, 1 + 0x1p-24 + 0x1p-50, 0x1.fffffffp127,
                               1e300,       0x1p-150,    -0x1.8p-149,           -0.0,
                               INFINITY,    1e-310};
  enum { ODD = sizeof odd / sizeof *odd, EACH = ODD + 2 };
  const ptrdiff_t stride = columns + 3;
  double from[ROOM];
  unsigned char to[ROOM * sizeof(double)], want[ROOM * sizeof(double)];
  for (ptrdiff_t i = 0; i < ROOM; i++) from[i] = i % EACH < ODD ? odd[i % EACH] : (double)i / 7;
  const uint64_t payload = 0xfff0000012345678;
  for (ptrdiff_t i = EACH - 1; i < ROOM; i += EACH) memcpy(&from[i], &payload, sizeof payload);
  memset(to, 0xff, sizeof to);
  memset(want, 0xff, sizeof want);
  for (ptrdiff_t r = 0; r < rows; r++)
    for (ptrdiff_t c = 0; c < columns; c++)
      sr_store(dtype, want + (size_t)(c * rows + r) * sr_dtype_size(dtype), from[r * stride + c]);
  output(from, stride, rows, columns, to);
  CU_ASSERT(memcmp(to, want, sizeof to) == 0);
}

static void rows_become_columns(void) {
  for (int t = 0; t < PRODUCTS; t++) {
    const sr_kernel *kernel = kernel_of(products[t]);
    for (ptrdiff_t rows = 0; rows <= MOST; rows++)
      for (ptrdiff_t columns = 0; columns <= MOST; columns++) {
        check_transpose(kernel->row->transpose, sr_unit_bytes(kernel), rows, columns);
        check_output(kernel->row->output_f32, SR_F32, rows, columns);
        check_output(kernel->row->output_f64, SR_F64, rows, columns);
      }
  }
}

/* Rows of an accumulator as each type of output, group by group. */
static void rows_of_output(void) {
  static const sr_dtype dtypes[] = {SR_F16, SR_BF16, SR_F32, SR_F64};
  enum { DIM = 21 };
  for (int t = 0; t < PRODUCTS; t++) {
    const sr_kernel *kernel = kernel_of(products[t]);
    char *memory = sr_alloc(sr_accumulator_bytes(kernel, DIM));
    const sr_accumulator acc = sr_accumulator_at(kernel, DIM, memory);
    for (int32_t i = 0; i < DIM * kernel->tile; i++) acc.o_hi[i] = i % 50 == 49 ? -(double)NAN : (double)(i - 300) / 7;
    for (int d = 0; d < 4; d++)
      for (int32_t first = 0; first < kernel->tile; first += SR_TURNED) {
        const int32_t left = kernel->tile - first, n = left < SR_TURNED ? left : SR_TURNED;
        const size_t bytes = sr_dtype_size(dtypes[d]);
        unsigned char got[SR_TURNED * DIM * sizeof(double)], want[SR_TURNED * DIM * sizeof(double)];
        sr_accumulator_rows(kernel, DIM, &acc, first, n, dtypes[d], got);
        for (int32_t lane = 0; lane < n; lane++)
          for (int32_t i = 0; i < DIM; i++)
            sr_store(dtypes[d], want + (size_t)(lane * DIM + i) * bytes, acc.o_hi[i * kernel->tile + first + lane]);
        CU_ASSERT(memcmp(got, want, (size_t)(n * DIM) * bytes) == 0);
      }
    sr_free(memory);
  }
}

int main(void) {
  return run_kernel_suite("rows", (const test_case[]){{"lengths", norms},
                                                      {"rows become columns", rows_become_columns},
                                                      {"rows of output", rows_of_output},
                                                      {0}});
}
