/* Any processor: vectors of 4 floats, which SSE2, NEON and their like all have. */
#define VECTOR_BYTES 16
#define NV           3
#define MR           4
#define KEY_BLOCK    64
#define RUN          32
#define ISA_TEXT     "portable"
#define ISA(x)       sr_portable_##x
