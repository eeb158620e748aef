/* Compiled once an instruction set, whose header is ISA_HEADER, with the flags of its tiles. */
#include "exp2_lanes.h"

#include ISA_HEADER

#define REAL              float
#define INT               int32_t
#define LANES             (VECTOR_BYTES / 4)
#define NAME(x)           lanes_f32_##x
#define OP(x)             f32_##x
#define LIMIT(x)          FLT_##x
#define ROOTS             F32_ROOTS
#define EXP2_COEFFICIENTS EXP2_F32(F32_ROOTS)
#define LANES_OF(x)       lanes_##x##_f32
#include "exp2_lanes.inc"

#define REAL              double
#define INT               int64_t
#define LANES             (VECTOR_BYTES / 8)
#define NAME(x)           lanes_f64_##x
#define OP(x)             f64_##x
#define LIMIT(x)          DBL_##x
#define ROOTS             F64_ROOTS
#define EXP2_COEFFICIENTS EXP2_F64(F64_ROOTS)
#define LANES_OF(x)       lanes_##x##_f64
#include "exp2_lanes.inc"
