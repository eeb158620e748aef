/* Conversions between the floating-point element types of tensors. */
#ifndef SR_BASE_CONVERT_H
#define SR_BASE_CONVERT_H

#include <seqring/types.h>
#include <stdint.h>

/* n elements of a type as float or double: exact, but for float64 to float, which rounds to nearest. */
void sr_to_f32(sr_dtype dtype, const void *from, int64_t n, float *to);
void sr_to_f64(sr_dtype dtype, const void *from, int64_t n, double *to);

/* n elements of a type as bfloat16, rounded to nearest, ties to even: through float for all but float64. */
void sr_to_bf16(sr_dtype dtype, const void *from, int64_t n, uint16_t *to);

/* n values, rounded to nearest, ties to even; every NaN as the positive quiet one without payload. */
void sr_store_row(sr_dtype dtype, void *to, int64_t n, const double *from);
void sr_store(sr_dtype dtype, void *to, double value);

/* Elements that are NaN or Inf. */
int64_t sr_count_nonfinite(sr_dtype dtype, const void *from, int64_t n);

#endif
