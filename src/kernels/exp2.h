/* Constants of lanes.inc's exp2: 2^(1/ROOTS) to the powers 0 to ROOTS - 1, and minimax polynomials of 2^x on
 * [-1/2, 1/2] / ROOTS with the constant term held at 1, found with the Remez exchange in 60-digit arithmetic. Largest
 * relative error of the polynomial: 2.6e-9 (float, 1 root), 2.5e-8 (8), 1.6e-9 (16), 1.8e-17 (double, 1), 2.8e-18 (8).
 *
 * With the rounding of its evaluation exp2 is off by up to, in units in the last place (tests/unit/exp2.c):
 *
 *                       fused multiply-adds   without    over
 *   float    1 root                           1.292      all s
 *            8          1.161                            all s
 *            16         0.993                            all s
 *   double   1          1.041                 1.319      3e8 s
 *            8          1.000                            3e8 s */
#ifndef SR_KERNELS_EXP2_H
#define SR_KERNELS_EXP2_H

#define EXP2_F32_1                                                                                                     \
  {                                                                                                                    \
    1.0f, 0x1.62e4311733cb7p-1f, 0x1.ebfbe2c540d82p-3f, 0x1.c6ae72dfc2656p-5f, 0x1.3b270e6417bb2p-7f,                  \
        0x1.5f7276d809020p-10f, 0x1.470b4a7656448p-13f                                                                 \
  }
#define EXP2_F32_8                                                                                                     \
  { 1.0f, 0x1.62e431111f69fp-1f, 0x1.ec0c313449f59p-3f, 0x1.c6a00335100a1p-5f }
#define EXP2_F32_16                                                                                                    \
  { 1.0f, 0x1.62e43001bc49fp-1f, 0x1.ebfff4532d9c3p-3f, 0x1.c6ac6aa31265dp-5f }

#define EXP2_F64_1                                                                                                     \
  {                                                                                                                    \
    1.0, 0x1.62e42fefa39f3p-1, 0x1.ebfbdff82c598p-3, 0x1.c6b08d7048f31p-5, 0x1.3b2ab6fba1e1cp-7,                       \
        0x1.5d87fe7bbbe07p-10, 0x1.4309130961163p-13, 0x1.ffcbee3b0af8cp-17, 0x1.62bfd49ed0adfp-20,                    \
        0x1.b54167a0b9061p-24, 0x1.e605f979c7a5dp-28, 0x1.c0638527edf34p-32                                            \
  }

#define EXP2_F64_8                                                                                                     \
  {                                                                                                                    \
    1.0, 0x1.62e42fefa39efp-1, 0x1.ebfbdff82c797p-3, 0x1.c6b08d70495edp-5, 0x1.3b2ab6ef4d64bp-7,                       \
        0x1.5d87fea1574b0p-10, 0x1.430e65bf7d3b8p-13, 0x1.ffc458677a455p-17                                            \
  }

/* Of an instruction set's F32_ROOTS and F64_ROOTS. */
#define EXP2_PASTE(name, roots) name##roots
#define EXP2_F32(roots)         EXP2_PASTE(EXP2_F32_, roots)
#define EXP2_F64(roots)         EXP2_PASTE(EXP2_F64_, roots)

/* Entry i is the bits of the float 2^(i / R), R = 8 or 16, less i << (23 - log2 R): added to x << (23 - log2 R), where
 * the low bits of x are R n + i, they are those of 2^(n + i / R). For double likewise, with 52 in place of 23. */
#define EXP2_ROOTS_8 0x3f800000, 0x3f7b95c2, 0x3f7837f0, 0x3f75fed7, 0x3f7504f3, 0x3f75672a, 0x3f7744fd, 0x3f7ac0c7
#define EXP2_ROOTS_16                                                                                                  \
  0x3f800000, 0x3f7daac3, 0x3f7b95c2, 0x3f79c3d3, 0x3f7837f0, 0x3f76f532, 0x3f75fed7, 0x3f75583f, 0x3f7504f3,          \
      0x3f7508a4, 0x3f75672a, 0x3f76248c, 0x3f7744fd, 0x3f78ccdf, 0x3f7ac0c7, 0x3f7d257d
#define EXP2_F64_ROOTS_8                                                                                               \
  0x3ff0000000000000, 0x3fef72b83c7d517b, 0x3fef06fe0a31b715, 0x3feebfdad5362a27, 0x3feea09e667f3bcd,                  \
      0x3feeace5422aa0db, 0x3feee89f995ad3ad, 0x3fef5818dcfba487

#endif
