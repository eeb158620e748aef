/* splitmix64, a generator whose n-th number needs no other: Steele, Lea and Flood, OOPSLA 2014. */
#ifndef SR_BASE_RANDOM_H
#define SR_BASE_RANDOM_H

#include <stdint.h>

static inline uint64_t sr_random_bits(uint64_t seed, uint64_t n) {
  uint64_t x = seed + (n + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/* In [0, 1). */
static inline double sr_random_unit(uint64_t seed, uint64_t n) {
  return (double)(sr_random_bits(seed, n) >> 11) * 0x1p-53;
}

#endif
