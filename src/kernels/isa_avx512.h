/* AVX-512: 32 registers of 16 floats. 24 accumulators, 3 queries, and the keys broadcast by the multiply-add itself. */
#define VECTOR_BYTES 64
#define NV           3
#define MR           8
#define KEY_BLOCK    64
#define RUN          32
#define ISA_TEXT     "avx512"
#define ISA(x)       sr_avx512_##x
