#include "cpu.h"

/* The compiler's own detection also asks (XGETBV) whether the operating system saves the wide registers. */
#if defined(__x86_64__)
#include <cpuid.h>

/* Older compilers do not know this one by name. */
static bool has_f16c(void) {
  unsigned eax, ebx, ecx = 0, edx;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit_F16C;
}

bool sr_cpu_has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

bool sr_cpu_has_avx512(void) {
  return sr_cpu_has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}

bool sr_cpu_has_avx512bf16(void) {
  return sr_cpu_has_avx512() && __builtin_cpu_supports("avx512bf16");
}
#else
bool sr_cpu_has_avx2(void) {
  return false;
}
bool sr_cpu_has_avx512(void) {
  return false;
}
bool sr_cpu_has_avx512bf16(void) {
  return false;
}
#endif
