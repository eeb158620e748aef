/* AVX2 with FMA: 16 registers of 8 floats. 12 accumulators, 3 queries, 1 broadcast key. */
#define VECTOR_BYTES 32
#define NV           3
#define MR           4
#define KEY_BLOCK    64
#define RUN          32
#define ISA_TEXT     "avx2"
#define ISA(x)       sr_avx2_##x
