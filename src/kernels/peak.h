/* What an instruction set does at best: loops of nothing but arithmetic, and of nothing but reading. They are the
 * measure of how much of the machine a kernel uses. */
#ifndef SR_KERNELS_PEAK_H
#define SR_KERNELS_PEAK_H

#include <seqring/types.h>
#include <stdint.h>

/* Runs a loop of multiply-adds in registers, fused where isa has that, in compute (SR_F32, SR_F64 or SR_BF16:
 * with float32 sums, and as float32 where isa multiplies no bfloat16). Returns the
 * floating-point operations done, two a multiply-add; 0 for an isa without a loop. */
double sr_peak_run(const char *isa, sr_dtype compute, int64_t loops);

/* Reads all of memory, with isa's widest loads. Returns the bytes read; 0 for an isa without a loop. */
uint64_t sr_peak_read(const char *isa, const void *memory, uint64_t bytes);

#endif
