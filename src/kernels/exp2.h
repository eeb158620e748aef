/* Constants of tile.inc's exp2: minimax polynomials of 2^x on [-1/2, 1/2] with the constant term held at 1, found with
 * the Remez exchange in 60-digit arithmetic. Largest relative error of the polynomial: 2.6e-9 (float), 1.8e-17
 * (double).
 *
 * With the rounding of its evaluation exp2 is off by up to, in units in the last place (tests/unit/exp2.c):
 *
 *             fused multiply-adds   without    over
 *   float     1.014                 1.292      all s
 *   double    1.041                 1.319      3e8 s */
#ifndef SR_KERNELS_EXP2_H
#define SR_KERNELS_EXP2_H

#define EXP2_COEFFICIENTS_F32                                                                                          \
  {                                                                                                                    \
    1.0f, 0x1.62e4311733cb7p-1f, 0x1.ebfbe2c540d82p-3f, 0x1.c6ae72dfc2656p-5f, 0x1.3b270e6417bb2p-7f,                  \
        0x1.5f7276d809020p-10f, 0x1.470b4a7656448p-13f                                                                 \
  }

#define EXP2_COEFFICIENTS_F64                                                                                          \
  {                                                                                                                    \
    1.0, 0x1.62e42fefa39f3p-1, 0x1.ebfbdff82c598p-3, 0x1.c6b08d7048f31p-5, 0x1.3b2ab6fba1e1cp-7,                       \
        0x1.5d87fe7bbbe07p-10, 0x1.4309130961163p-13, 0x1.ffcbee3b0af8cp-17, 0x1.62bfd49ed0adfp-20,                    \
        0x1.b54167a0b9061p-24, 0x1.e605f979c7a5dp-28, 0x1.c0638527edf34p-32                                            \
  }

#endif
