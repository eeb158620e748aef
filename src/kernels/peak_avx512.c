#define VECTOR_BYTES 64
#define SUMS         24 /* of 32 registers */
#define ISA(x)       sr_avx512_##x
#include "peak.inc"
