/* Attention tiles on local memory.
 *
 * A tile is `tile` rows (a row is one query of one head; the heads that share a KV head stand side by side) against one
 * segment of keys. Rows lie in the lanes of vectors, so that scores come out transposed, [key][row], and the running
 * maximum, exponents and sums are all vertical:
 *
 *   s = K Q^T              [key_block][tile]   in log2 units: Q carries scale * log2(e)
 *   e = ceil(max) + 2      where the largest score so far passes e: an integer, so that rescaling by 2^(e_old - e_new)
 *                          is exact, and a little above, so that it is rare; or ceil(bound) from the start, where what
 *                          bounds the scores is small and the instruction set gains by it: nothing need be searched
 *   p = 2^(s - e)          l += sum over keys of p          O += V^T p     [value_dim][tile]
 *
 * One segment's (e, l, O) is a partial result in the type of the sums. Partials are folded into an accumulator of
 * unevaluated sums of two doubles (TwoSum; Knuth, The Art of Computer Programming 2, 4.2.2), whose error is so far
 * below the output's last bit that the order of folding cannot show, unless values of alternating sign cancel one
 * another to less than about 2^-40 (float64; 2^-70 for float32) of their size. Each row's arithmetic is its own: what
 * else is in its tile, and whether a block that it may not see is skipped or computed, changes nothing in its bits.
 */
#ifndef SR_KERNELS_KERNEL_H
#define SR_KERNELS_KERNEL_H

#include <math.h>
#include <seqring/status.h>
#include <seqring/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ahead.h"
#include "base/memory.h"

enum { SR_MAX_TILE = 64 };

/* Rows of tensors that are turned into lanes, or back, at a time: few enough for the first-level cache, and a multiple
 * of all vectors' lanes. */
enum { SR_TURNED = 16 };

/* Keys lo <= j < hi of a segment. */
typedef struct sr_keys {
  int32_t lo, hi;
} sr_keys;

/* No score is larger than the product of its query's and its key's lengths (Cauchy and Schwarz), but for rounding: of
 * both to bfloat16 at worst, by up to 1/512. */
#define SR_ROUNDED_UP 1.01

/* One tile of packed queries and one segment of keys and values of its KV head, in units: one element, or where the
 * kernel's pack is 2 a pair of neighbours along the dimension that a product sums over. */
typedef struct sr_tile {
  const void
      *q; /* [head_dim / pack][tile], times scale * log2(e) unless products are bfloat16; lanes without a row are 0 */
  const void *k;     /* [keys][head_dim / pack], keys rounded up to key_block; rows past the last key are 0 */
  const void *v;     /* [keys / pack][value_dim], likewise; k and v as the kernel arranges them, where it does */
  int32_t first_key; /* of the segment, with which k and v begin: a multiple of key_block */
  double scale;      /* of scores in log2 units, where the queries do not carry it */
  int32_t head_dim, value_dim;              /* elements; an odd head_dim is filled up with a 0 where pack is 2 */
  int32_t lo[SR_MAX_TILE], hi[SR_MAX_TILE]; /* the row sees the segment's keys lo <= j < hi */
  sr_keys some, all;                        /* keys that some row sees, and that every row sees */
  /* No score of the row in this segment has a larger size; infinite or NaN where that is not known, or values are so
   * small that products with weights far below 1 might leave the range. */
  double bound[SR_MAX_TILE];
  bool finite;     /* no NaN or Inf in k and v */
  bool has_slopes; /* scores of a row, in log2 units, grow by its slope from key to key, from 0 at its place */
  double slope[SR_MAX_TILE], place[SR_MAX_TILE]; /* place: counted from the segment's first key */
  sr_ahead ahead[SR_AHEAD];                      /* what meet asks for meanwhile */
} sr_tile;

/* Some queries of some KV heads, and a segment of their keys and values where they lie in the caller's tensors. */
typedef struct sr_few {
  const void *q;     /* [heads][rows] rows of sr_row_bytes in the type of the sums, filled up with 0; scaled as those of
                        sr_tile */
  const void *k, *v; /* the segment's first key and value of the first head; the next head's lie behind them */
  sr_dtype dtype;    /* of k and v */
  int64_t k_stride, v_stride; /* elements from one key to the next */
  double scale;
  int32_t heads, rows, keys, head_dim, value_dim; /* rows: of a head */
  const sr_keys *sees;                            /* [rows] keys of the segment, alike for all heads */
  const double *slope;                            /* [heads][rows] as in sr_tile, or NULL: all 0 */
  const double *place;                            /* [rows] */
} sr_few;

/* Elements of a type filled up to whole vectors of any instruction set. */
static inline uint64_t sr_row_bytes(int64_t elements, uint64_t element_bytes) {
  return sr_align_up((uint64_t)elements * element_bytes);
}

/* Segments that are folded together at most: the way to the accumulator and back is the larger part of a fold. */
enum { SR_PARTIALS = 2 };

/* State of one tile in one segment. */
typedef struct sr_partial {
  void *e; /* [tile] */
  void *l; /* [tile] */
  void *o; /* [value_dim][tile] */
} sr_partial;

/* Accumulator of one tile: sums of two doubles, hi + lo, relative to 2^e. Before the first fold, which overwrites them,
 * o_hi and o_lo hold nothing; every e is -inf, and l 0. */
typedef struct sr_accumulator {
  double *e;           /* [tile] */
  double *l_hi, *l_lo; /* [tile] */
  double *o_hi, *o_lo; /* [value_dim][tile] */
} sr_accumulator;

/* What one instruction set does to rows of tensors, of at most SR_HEAD_DIM_MAX elements, beside kernels of one type of
 * units. */
typedef struct sr_row_kernel {
  /* The root of the sum of the elements' squares, in the type of the sums: infinite where one of them, or the sum, is
   * not finite in it. */
  double (*norm)(sr_dtype dtype, const void *from, int64_t n);

  /* Elements times a factor, rounded once, in the type of the sums. */
  void (*scale)(sr_dtype dtype, const void *from, int64_t n, double factor, void *to);

  /* to[c][r] = from[r][c], of units. stride: elements from one row to the next. */
  void (*transpose)(const void *from, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns, void *to,
                    ptrdiff_t to_stride);

  /* Likewise of doubles, as sr_store_row of convert.h makes them elements of output: to is [columns][rows]. */
  void (*output_f32)(const double *from, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns, void *to);
  void (*output_f64)(const double *from, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns, void *to);
} sr_row_kernel;

/* The kernels of one instruction set and type of products. */
typedef struct sr_kernel {
  const char *isa;
  sr_dtype compute;       /* q, k, v and probabilities are multiplied in: SR_F32, SR_F64 or SR_BF16 */
  sr_dtype sums;          /* of the state, and the size of a unit: SR_F32 or SR_F64 */
  int32_t pack;           /* elements of a unit: 1 or 2 */
  int32_t tile;           /* rows a tile; 1 for a few queries, each of which has a state of its own */
  int32_t key_block;      /* keys a step; divides SR_SEGMENT */
  uint64_t scratch_bytes; /* that meet takes, for a key block's scores */

  /* The state before the first key of a segment. bound: that of the tile, which meet must find unchanged; NULL for a
   * few queries. */
  void (*begin)(const sr_partial *partial, int32_t value_dim, const double *bound);

  /* The scratch of meet_few. Memory for kernels has the alignment of its units or any other, but this has SR_ALIGN.
   * NULL for tiles. */
  uint64_t (*few_scratch_bytes)(int32_t heads, int32_t rows, int32_t head_dim, int32_t value_dim);

  /* Lays keys and values, multiples of key_block, out as meet takes them, in as many bytes. NULL where it takes them as
   * they come, and for a few queries. */
  void (*arrange)(const void *k, const void *v, int32_t head_dim, int32_t value_dim, int32_t keys, void *to_k,
                  void *to_v);

  /* Meets the segment's keys, multiples of key_block (*to may be the last key), in ascending order from call to call.
   * NULL for a few queries. */
  void (*meet)(const sr_tile *tile, sr_keys keys, const sr_partial *partial, void *scratch);

  /* Meets the key block that starts at `first`, in ascending order from call to call; partial is one a row,
   * [heads][rows]. Returns whether all scores that a row sees are finite. NULL for tiles. */
  bool (*meet_few)(const sr_few *few, int32_t first, const sr_partial *partial, void *scratch);

  /* Adds the states of one or SR_PARTIALS segments to the accumulator, bit for bit as one behind the other. */
  void (*fold)(const sr_partial *partial, int count, int32_t value_dim, const sr_accumulator *to);

  /* o_hi becomes the quotient of o and l, or NaN where l is 0; l stays. Nothing is done before the first fold. */
  void (*divide)(const sr_accumulator *acc, int32_t value_dim);

  const sr_row_kernel *row;
} sr_kernel;

/* Bytes of a unit, of one packed key or query, and of one packed value. */
static inline uint64_t sr_unit_bytes(const sr_kernel *kernel) {
  return sr_dtype_size(kernel->sums);
}
static inline uint64_t sr_key_bytes(const sr_kernel *kernel, int64_t head_dim) {
  return (uint64_t)((head_dim + kernel->pack - 1) / kernel->pack) * sr_unit_bytes(kernel);
}
static inline uint64_t sr_value_bytes(const sr_kernel *kernel, int64_t value_dim) {
  return (uint64_t)value_dim * sr_unit_bytes(kernel) / (uint64_t)kernel->pack;
}

/* The kernels for tiles, or for a few queries, and for a type of products on this machine; SEQRING_ISA names the
 * instruction set, else it is the best one. *kernel is NULL on failure. Errors: SR_ERR_ARGUMENT when SEQRING_ISA names
 * none that the machine and the build have.
 */
sr_status sr_kernel_choose(sr_dtype compute, bool few, const sr_kernel **kernel);

/* Sets what some and what all of the tile's rows see, from lo and hi. Returns false when no row sees any key. */
bool sr_tile_extent(const sr_kernel *kernel, sr_tile *tile);

uint64_t sr_partial_bytes(const sr_kernel *kernel, int32_t value_dim);
sr_partial sr_partial_at(const sr_kernel *kernel, void *memory);

uint64_t sr_accumulator_bytes(const sr_kernel *kernel, int32_t value_dim);
sr_accumulator sr_accumulator_at(const sr_kernel *kernel, int32_t value_dim, void *memory);

/* The state before the first fold. */
void sr_accumulator_begin(const sr_kernel *kernel, const sr_accumulator *acc);

/* Whether nothing has been folded or added yet, nor exponents raised. */
static inline bool sr_accumulator_is_new(const sr_accumulator *acc) {
  return acc->e[0] == -(double)INFINITY;
}

/* Raises the exponents to e [tile], where these are higher, without changing values. Those of an accumulator before its
 * first fold are 0 from then on. */
void sr_accumulator_raise(const sr_kernel *kernel, int32_t value_dim, const sr_accumulator *acc, const double *e);

/* Adds another accumulator, whose exponents may rise. */
void sr_accumulator_add(const sr_kernel *kernel, int32_t value_dim, const sr_accumulator *acc,
                        const sr_accumulator *other);

/* o of n <= SR_TURNED rows from `first` on of an accumulator, after kernel->divide: [n][value_dim] of a type of real
 * numbers. */
void sr_accumulator_rows(const sr_kernel *kernel, int32_t value_dim, const sr_accumulator *acc, int32_t first,
                         int32_t n, sr_dtype dtype, void *rows);

/* Row `lane` of an accumulator as output: `bytes` of o, which sr_accumulator_rows gave, and an element of lse_dtype.
 * sees_keys tells a row that sees no key (o = 0, lse = -inf) from one whose every score is -inf (NaN, as IEEE
 * arithmetic has it). */
void sr_accumulator_store(const sr_accumulator *acc, int32_t lane, const void *row, uint64_t bytes, bool sees_keys,
                          void *o, sr_dtype lse_dtype, void *lse);

#endif
