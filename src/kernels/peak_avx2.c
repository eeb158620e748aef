#define VECTOR_BYTES 32
#define SUMS         12 /* of 16 registers */
#define ISA(x)       sr_avx2_##x
#include "peak.inc"
