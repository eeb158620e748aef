#define VECTOR_BYTES 16 /* SSE2 has 16 registers, and so have most others that compilers target unasked */
#define SUMS         12
#define ISA(x)       sr_portable_##x
#include "peak.inc"
