/* How accurate the tile and the fold of the instruction set in use (SEQRING_ISA) are, on awkward shapes and numbers. */
#include "answer.h"

/* Widths at and beside those of vectors, runs and steps of every instruction set, and primes. */
static const int32_t dims[] = {1,  2,  3,  4,  5,  7,  8,  9,   15,  16,  17,  23,  31,  32, 33,
                               47, 63, 64, 65, 95, 96, 97, 127, 128, 129, 191, 257, 511, 512};
enum { DIMS = sizeof dims / sizeof *dims };

/* Numbers of keys at and beside those of key blocks and segments, and primes. */
static const int32_t lengths[] = {1, 2, 31, 32, 33, 63, 64, 65, 97, 127, 128, 129, 521, 1023, 1024, 1025, 2039, 2049};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void awkward_shapes(void) {
  uint64_t random = 11;
  for (int t = 0; t < PRODUCTS; t++)
    for (int i = 0; i < DIMS; i++)
      for (int j = 0; j < LENGTHS; j++) {
        rig r = make_rig(products[t], dims[i], dims[random_int(&random, 0, DIMS - 1)], lengths[j], &random);
        r.shift = (i + j) % 2;
        if (j % 3) random_ranges(&r, j % 3 == 1, &random);
        for (int lane = 0; j % 4 == 3 && lane < r.kernel->tile; lane++) r.bounded[lane] = random_int(&random, 0, 1);
        CU_ASSERT(accurate(&r, 0));
        free_rig(&r);
      }
}

static void ranges_at_borders(void) {
  uint64_t random = 12;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 60; n++) {
      rig r = make_rig(products[t], 8, 6, (int32_t)random_int(&random, 1, 2100), &random);
      random_ranges(&r, true, &random);
      CU_ASSERT(accurate(&r, 0));
      free_rig(&r);
    }
}

static void scores_with_slopes(void) {
  uint64_t random = 18;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 40; n++) {
      rig r = make_rig(products[t], dims[random_int(&random, 0, DIMS - 1)], 6, (int32_t)random_int(&random, 1, 2100),
                       &random);
      random_slopes(&r, &random);
      if (n % 2) random_ranges(&r, n % 4 == 1, &random);
      CU_ASSERT(accurate(&r, 32 * (products[t] == SR_F64 ? 0x1p-52 : 0x1p-23)));
      free_rig(&r);
    }
}

static void scores_of_any_size(void) {
  uint64_t random = 13;
  for (int t = 0; t < PRODUCTS; t++)
    for (double factor = 1e-30; factor < 1e8; factor *= 1e3) {
      rig r = make_rig(products[t], 64, 8, 1500, &random);
      fill(&r, r.k, (int64_t)r.keys * 64, factor, &random);
      CU_ASSERT(accurate(&r, 64 * factor * (products[t] == SR_F64 ? 0x1p-52 : 0x1p-23)));
      free_rig(&r);
    }
}

/* Component 0 of queries is 1 and adds `shift(key)` to scores that float32 holds exactly, with it and without. */
static void shift_scores(rig *r, double (*shift)(int64_t key), uint64_t *random) {
  r->scale = 1;
  for (int64_t i = 0; i < (int64_t)r->kernel->tile * r->head_dim; i++)
    r->q[i] = i % r->head_dim == 0 ? 1 : (double)random_int(random, -2, 2);
  for (int64_t i = 0; i < (int64_t)r->keys * r->head_dim; i++)
    r->k[i] = i % r->head_dim == 0 ? shift(i / r->head_dim) : (double)random_int(random, -64, 64) / 64;
}

static double none(int64_t key) {
  (void)key;
  return 0;
}
static double up(int64_t key) {
  (void)key;
  return 10240;
}
static double down(int64_t key) {
  (void)key;
  return -10240;
}
static double in_turn(int64_t key) {
  return key % 3 ? -10240 : 10240;
}

/* Whole numbers in log2 units change no weight, and so no bit of o. */
static void whole_shifts_do_not_show(void) {
  static double (*const shifts[])(int64_t) = {up, down};
  static result plain, shifted;
  for (int t = 0; t < PRODUCTS; t++)
    for (int n = 0; n < 2; n++) {
      uint64_t random = 14, again = 15;
      rig r = make_rig(products[t], 7, 5, 1100, &random);
      random = again;
      shift_scores(&r, none, &random);
      CU_ASSERT(accurate(&r, 0));
      run(&r, NULL, &plain);
      shift_scores(&r, shifts[n], &again);
      run(&r, NULL, &shifted);
      CU_ASSERT(memcmp(plain.o, shifted.o, sizeof(double) * 5 * (size_t)r.kernel->tile) == 0);
      for (int lane = 0; lane < r.kernel->tile; lane++)
        CU_ASSERT(fabs(shifted.lse[lane] - plain.lse[lane] - shifts[n](0) * M_LN2) <= 1e-11);
      free_rig(&r);
    }
}

/* Scores of 1e4 and -1e4 side by side: the weights of the small ones are exactly 0. The reference takes natural units,
 * in which float64 rounds such scores. */
static void scores_far_apart(void) {
  uint64_t random = 16;
  for (int t = 0; t < PRODUCTS; t++) {
    rig r = make_rig(products[t], 7, 5, 1100, &random);
    shift_scores(&r, in_turn, &random);
    CU_ASSERT(accurate(&r, 10240 * 0x1p-52));
    random_ranges(&r, true, &random);
    CU_ASSERT(accurate(&r, 10240 * 0x1p-52));
    free_rig(&r);
  }
}

static void equal_keys_give_the_mean(void) {
  uint64_t random = 17;
  static result got;
  for (int t = 0; t < PRODUCTS; t++) {
    rig r = make_rig(products[t], 16, 5, 2000, &random);
    for (int64_t j = 1; j < r.keys; j++) memcpy(r.k + j * 16, r.k, 16 * sizeof *r.k);
    run(&r, NULL, &got);
    for (int d = 0; d < 5; d++) {
      double mean = 0;
      for (int64_t j = 0; j < r.keys; j++) mean += r.v[j * 5 + d] / r.keys;
      CU_ASSERT(fabs(got.o[d] - mean) <= (products[t] == SR_F64 ? 1e-15 : 1e-7));
    }
    free_rig(&r);
  }
}

int main(void) {
  return run_kernel_suite("kernels", (const test_case[]){{"awkward shapes", awkward_shapes},
                                                         {"ranges at borders", ranges_at_borders},
                                                         {"scores with slopes", scores_with_slopes},
                                                         {"scores of any size", scores_of_any_size},
                                                         {"whole shifts do not show", whole_shifts_do_not_show},
                                                         {"scores far apart", scores_far_apart},
                                                         {"equal keys give the mean", equal_keys_give_the_mean},
                                                         {0}});
}
