/* Version of the headers and of the library. */
#ifndef SEQRING_VERSION_H
#define SEQRING_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

#define SR_VERSION_MAJOR 0
#define SR_VERSION_MINOR 1
#define SR_VERSION_PATCH 0

/* The library's version, "major.minor.patch". Not collective. */
const char *sr_version(void);

/* The instruction set of the attention kernels chosen on this machine, such as "avx512"; honours SEQRING_ISA. NULL when
 * SEQRING_ISA names one that the machine or the build lacks (see sr_error_text). Not collective. */
const char *sr_isa_name(void);

#ifdef __cplusplus
}
#endif
#endif
