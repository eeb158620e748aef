/* Properties that hold whatever the numbers are. */
#include <seqring/seqring.h>

#include "check.h"
#include "problem.h"

enum { TOKENS = 2600, DIM = 12 };

static problem make_problem_of(int64_t kv_heads, bool causal) {
  problem p = {0};
  sr_options_default(&p.options);
  p.options.q_len = p.options.kv_len = TOKENS;
  p.options.q_heads = 2, p.options.kv_heads = kv_heads;
  p.options.head_dim = p.options.value_dim = DIM;
  p.options.mask.causal = causal;
  problem_fill(&p, 5);
  return p;
}

static problem make_problem(bool causal) {
  return make_problem_of(1, causal);
}

/* The larger of two, or NaN where one is. */
static double larger(double a, double b) {
  return isnan(a) || a > b ? a : b;
}

static double largest_difference(const output *a, const output *b) {
  double worst = 0;
  for (size_t i = 0; i < a->o_bytes / sizeof(float); i++) {
    float x, y;
    memcpy(&x, a->o + i * sizeof x, sizeof x);
    memcpy(&y, b->o + i * sizeof y, sizeof y);
    worst = larger(worst, fabs((double)x - (double)y));
  }
  return worst;
}

/* Runs both and returns the largest difference of o. */
static double compare(const problem *a, const problem *b) {
  output x, y;
  CHECK(problem_run(a, MPI_COMM_WORLD, &x) == SR_OK);
  CHECK(problem_run(b, MPI_COMM_WORLD, &y) == SR_OK);
  double worst = largest_difference(&x, &y);
  output_close(&x);
  output_close(&y);
  return worst;
}

static void permuting_keys_changes_nothing(void) {
  problem p = make_problem(false), permuted = make_problem(false);
  const size_t row = DIM * sizeof(float);
  for (int64_t j = 0; j < TOKENS; j++) {
    int64_t to = j * 1009 % TOKENS; /* coprime to TOKENS: a permutation */
    memcpy(permuted.k + (size_t)to * row, p.k + (size_t)j * row, row);
    memcpy(permuted.v + (size_t)to * row, p.v + (size_t)j * row, row);
  }
  double worst = compare(&p, &permuted);
  CHECK(worst <= 1e-6);
  problem_free(&p);
  problem_free(&permuted);
}

/* k + c adds q.c to all scores of a query, which softmax does not see. */
static void shifting_scores_changes_nothing(void) {
  problem p = make_problem(true), shifted = make_problem(true);
  for (int64_t i = 0; i < TOKENS * DIM; i++) {
    float x;
    memcpy(&x, p.k + (size_t)i * sizeof x, sizeof x);
    x += 3;
    memcpy(shifted.k + (size_t)i * sizeof x, &x, sizeof x);
  }
  double worst = compare(&p, &shifted);
  CHECK(worst <= 1e-5);
  problem_free(&p);
  problem_free(&shifted);
}

/* Runs both: o of the second is that of the first times a power of two, bit for bit. Returns the elements of o that are
 * 0. */
static int64_t check_scaled(const problem *a, const problem *b, float factor) {
  output x, y;
  int64_t zeros = 0;
  CHECK(problem_run(a, MPI_COMM_WORLD, &x) == SR_OK);
  CHECK(problem_run(b, MPI_COMM_WORLD, &y) == SR_OK);
  for (size_t i = 0; i < x.o_bytes / sizeof(float); i++) {
    float o, scaled;
    memcpy(&o, x.o + i * sizeof o, sizeof o);
    memcpy(&scaled, y.o + i * sizeof scaled, sizeof scaled);
    CHECK(scaled == factor * o);
    zeros += o == 0;
  }
  output_close(&x);
  output_close(&y);
  return zeros;
}

static void output_is_linear_in_values(void) {
  problem p = make_problem(true), doubled = make_problem(true);
  for (int64_t i = 0; i < TOKENS * DIM; i++) {
    float x;
    memcpy(&x, p.v + (size_t)i * sizeof x, sizeof x);
    x *= 4; /* a power of two: exact */
    memcpy(doubled.v + (size_t)i * sizeof x, &x, sizeof x);
  }
  check_scaled(&p, &doubled, 4);
  problem_free(&p);
  problem_free(&doubled);
}

/* Powers of two move between queries and the scale, up to where the squares of queries leave the range of float32. */
static void scale_is_linear_in_queries(void) {
  static const int powers[] = {40, 80, 93, -60};
  for (int n = 0; n < 4; n++) {
    problem p = make_problem(n % 2), moved = make_problem(n % 2);
    p.options.scale = 30;
    moved.options.scale = ldexp(30, powers[n]);
    for (int64_t i = 0; i < TOKENS * 2 * DIM; i++) {
      float x;
      memcpy(&x, p.q + (size_t)i * sizeof x, sizeof x);
      problem_set(SR_F32, moved.q, i, ldexp((double)x, -powers[n]));
    }
    check_scaled(&p, &moved, 1);
    problem_free(&p);
    problem_free(&moved);
  }
}

static void equal_keys_give_the_mean_of_v(void) {
  problem p = make_problem(false);
  const size_t row = DIM * sizeof(float);
  double mean[DIM] = {0};
  for (int64_t j = 0; j < TOKENS; j++) {
    float v[DIM];
    memcpy(p.k + (size_t)j * row, p.k, row);
    memcpy(v, p.v + (size_t)j * row, row);
    for (int d = 0; d < DIM; d++) mean[d] += (double)v[d] / TOKENS;
  }
  output out;
  CHECK(problem_run(&p, MPI_COMM_WORLD, &out) == SR_OK);
  for (size_t i = 0; i < out.o_bytes / sizeof(float); i++) {
    float o;
    memcpy(&o, out.o + i * sizeof o, sizeof o);
    CHECK(fabs((double)o - mean[i % DIM]) <= 1e-7);
  }
  output_close(&out);
  problem_free(&p);
}

static void rows_that_see_nothing_are_zero(void) {
  problem p = make_problem(true);
  p.options.mask.q_start = -100;
  output out;
  CHECK(problem_run(&p, MPI_COMM_WORLD, &out) == SR_OK);
  int64_t local = 0;
  for (int s = 0; s < out.q_rows.n_spans; s++)
    for (int64_t i = 0; i < out.q_rows.span[s].count; i++, local++)
      for (int h = 0; h < 2; h++) {
        float lse, o[DIM];
        memcpy(&lse, out.lse + (size_t)(local * 2 + h) * sizeof lse, sizeof lse);
        memcpy(o, out.o + (size_t)(local * 2 + h) * sizeof o, sizeof o);
        bool blind = out.q_rows.span[s].start + i < 100;
        CHECK(blind == (lse == -INFINITY));
        for (int d = 0; d < DIM && blind; d++) CHECK(o[d] == 0 && !signbit(o[d]));
      }
  output_close(&out);
  problem_free(&p);
}

/* Values of 2^-90 times a size give results of 2^-90 times a size, though all scores are as low as the lengths of
 * queries and keys allow, so that weights could be far below 1. */
static void tiny_values_survive_low_scores(void) {
  problem p = make_problem(false), tiny = make_problem(false);
  for (int64_t i = 0; i < TOKENS * DIM; i++) {
    float v;
    memcpy(&v, p.v + i * (int64_t)sizeof v, sizeof v);
    problem_set(SR_F32, p.k, i, 2 + (double)v / 64), problem_set(SR_F32, tiny.k, i, 2 + (double)v / 64);
    problem_set(SR_F32, tiny.v, i, (double)v * 0x1p-90);
  }
  for (int64_t i = 0; i < TOKENS * 2 * DIM; i++) problem_set(SR_F32, p.q, i, -2), problem_set(SR_F32, tiny.q, i, -2);
  CHECK(check_scaled(&p, &tiny, 0x1p-90f) == 0);
  problem_free(&p);
  problem_free(&tiny);
}

/* A NaN at key 1700 reaches the rows that see it and no others. */
static void masked_nan_never_leaks(void) {
  problem p = make_problem(true), clean = make_problem(true);
  const float nan_value = NAN;
  memcpy(p.k + 1700 * DIM * sizeof(float), &nan_value, sizeof nan_value);
  output out, want;
  CHECK(problem_run(&p, MPI_COMM_WORLD, &out) == SR_OK);
  CHECK(problem_run(&clean, MPI_COMM_WORLD, &want) == SR_OK);
  int64_t local = 0;
  for (int s = 0; s < out.q_rows.n_spans; s++)
    for (int64_t i = 0; i < out.q_rows.span[s].count; i++, local++) {
      const size_t row = 2 * DIM * sizeof(float), lse_row = 2 * sizeof(float);
      bool sees = out.q_rows.span[s].start + i >= 1700;
      uint32_t bits;
      memcpy(&bits, out.o + (size_t)local * row, sizeof bits);
      if (sees)
        CHECK(bits == 0x7fc00000);
      else
        CHECK(memcmp(out.o + (size_t)local * row, want.o + (size_t)local * row, row) == 0 &&
              memcmp(out.lse + (size_t)local * lse_row, want.lse + (size_t)local * lse_row, lse_row) == 0);
    }
  sr_plan_stats stats;
  sr_plan_stats_get(out.plan, &stats);
  CHECK(stats.nonfinite == 1);
  output_close(&out);
  output_close(&want);
  problem_free(&p);
  problem_free(&clean);
}

/* Whether a problem has the heads for its strategy, and no queries for sinks that it may not have. */
static bool strategy_is_for(const sr_options *o, int ranks) {
  if (o->sink_queries && o->strategy >= SR_STRATEGY_ULYSSES) return false;
  return o->strategy != SR_STRATEGY_ULYSSES || o->kv_heads % ranks == 0;
}

/* Runs a problem by each strategy that is for it: so many NaN and Inf are counted, and refused. */
static void count_by_each_strategy(problem *p, int64_t want) {
  int ranks;
  char words[40];
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  snprintf(words, sizeof words, "%d visible", (int)want);
  for (p->options.strategy = SR_STRATEGY_RING; p->options.strategy < SR_STRATEGY_DECODE; p->options.strategy++) {
    output out;
    sr_plan_stats stats = {0};
    if (!strategy_is_for(&p->options, ranks)) continue;
    CHECK(problem_run(p, MPI_COMM_WORLD, &out) == SR_OK);
    if (out.plan) sr_plan_stats_get(out.plan, &stats);
    CHECK(stats.nonfinite == want);
    output_close(&out);
    p->options.refuse_nonfinite = true;
    CHECK(problem_run(p, MPI_COMM_WORLD, &out) == SR_ERR_NONFINITE);
    CHECK(strncmp(sr_error_text(), words, strlen(words)) == 0);
    p->options.refuse_nonfinite = false;
    output_close(&out);
  }
}

/* Five of them in q, and a query that is longer than any bound holds for, but finite. */
static void plant(problem *p) {
  static const struct {
    int64_t query, head, element;
    float value;
  } special[] = {{0, 0, 3, NAN},    {5, 1, DIM - 1, INFINITY}, {1300, 0, 0, -INFINITY},
                 {1300, 0, 1, NAN}, {TOKENS - 1, 1, 0, NAN},   {777, 0, 2, 0x1p70f}};
  for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
    const int64_t at = (special[i].query * 2 + special[i].head) * DIM + special[i].element;
    memcpy(p->q + (size_t)at * sizeof(float), &special[i].value, sizeof(float));
  }
}

static void special_queries_are_counted_once(void) {
  for (int64_t kv_heads = 1; kv_heads <= 2; kv_heads++) {
    problem p = make_problem_of(kv_heads, false);
    plant(&p);
    count_by_each_strategy(&p, 5);
    p.options.mask.causal = true;
    p.options.mask.q_start = -1; /* query 0 sees no key */
    count_by_each_strategy(&p, 4);
    p.options.mask.window_left = 40; /* most tiles meet keys in one step alone */
    count_by_each_strategy(&p, 4);
    problem_free(&p);
  }
}

/* NaN in what queries are for sinks alone. */
static void queries_of_sinks_are_not_counted(void) {
  problem p = make_problem(true);
  p.options.mask.window_left = 40, p.options.mask.sinks = 3;
  p.options.sink_queries = true;
  problem_free(&p);
  problem_fill(&p, 5); /* the queries of sinks, too */
  const float nan_value = NAN;
  memcpy(p.q_sinks + 1000 * 2 * DIM * sizeof(float), &nan_value, sizeof nan_value);
  plant(&p);
  count_by_each_strategy(&p, 5);
  problem_free(&p);
}

/* Tokens [from, to) of a problem. */
static problem part_of(const problem *p, int64_t from, int64_t to) {
  const size_t row = DIM * sizeof(float);
  problem part = {.options = p->options};
  part.options.q_len = part.options.kv_len = to - from;
  part.options.mask.documents = NULL, part.options.mask.n_documents = 0;
  problem_fill(&part, 1);
  memcpy(part.q, p->q + (size_t)from * 2 * row, (size_t)(to - from) * 2 * row);
  memcpy(part.k, p->k + (size_t)from * row, (size_t)(to - from) * row);
  memcpy(part.v, p->v + (size_t)from * row, (size_t)(to - from) * row);
  return part;
}

/* The largest difference between rows of a whole output and those of one of its parts, from a token on. */
static double part_difference(const output *whole, const output *part, int64_t from) {
  double worst = 0;
  for (int64_t i = 0; i < part->q_rows.count * 2 * DIM; i++) {
    float x, y;
    memcpy(&x, whole->o + (from * 2 * DIM + i) * (int64_t)sizeof x, sizeof x);
    memcpy(&y, part->o + i * (int64_t)sizeof y, sizeof y);
    worst = larger(worst, fabs((double)x - (double)y));
  }
  return worst;
}

/* Documents side by side, with a window and sinks, are as each would be alone; a NaN stays in its own. */
static void documents_do_not_see_one_another(void) {
  static const int64_t begin[] = {0, 1, 700, 700, 1000, 2300, TOKENS};
  problem p = make_problem(true);
  p.options.mask.window_left = 150;
  p.options.mask.sinks = 3;
  p.options.mask.documents = begin;
  p.options.mask.n_documents = 6;
  const float nan_value = NAN;
  memcpy(p.v + 700 * DIM * sizeof(float), &nan_value, sizeof nan_value); /* a sink: all of its document see it */
  output whole;
  CHECK(problem_run(&p, MPI_COMM_SELF, &whole) == SR_OK);
  for (int i = 0; i < 6; i++) {
    if (begin[i] == begin[i + 1]) continue;
    problem alone = part_of(&p, begin[i], begin[i + 1]);
    output part;
    CHECK(problem_run(&alone, MPI_COMM_SELF, &part) == SR_OK);
    const double worst = part_difference(&whole, &part, begin[i]);
    CHECK(i == 3 ? isnan(worst) : worst <= 1e-6);
    output_close(&part);
    problem_free(&alone);
  }
  output many;
  CHECK(problem_run(&p, MPI_COMM_WORLD, &many) == SR_OK);
  CHECK(same_bits(&p, &many, &whole));
  output_close(&many);
  output_close(&whole);
  problem_free(&p);
}

/* The first tokens' scores are so low that doubles could not hold their weights beside those of later tokens, which
 * they do not see: they give what they give alone, bit for bit. */
static void later_tokens_do_not_reach_first_ones(void) {
  const int64_t first = 1024; /* a whole segment */
  problem p = make_problem(true);
  for (int64_t i = 0; i < TOKENS * 2; i++) problem_set(SR_F32, p.q, i * DIM, 1);
  for (int64_t i = 0; i < first; i++) problem_set(SR_F32, p.k, i * DIM, -6000);
  problem alone = part_of(&p, 0, first);
  output whole, part, many;
  CHECK(problem_run(&p, MPI_COMM_SELF, &whole) == SR_OK);
  CHECK(problem_run(&alone, MPI_COMM_SELF, &part) == SR_OK);
  CHECK(problem_run(&p, MPI_COMM_WORLD, &many) == SR_OK);
  CHECK(part_difference(&whole, &part, 0) == 0);
  CHECK(same_bits(&p, &many, &whole));
  output_close(&whole);
  output_close(&part);
  output_close(&many);
  problem_free(&p);
  problem_free(&alone);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  permuting_keys_changes_nothing();
  shifting_scores_changes_nothing();
  output_is_linear_in_values();
  scale_is_linear_in_queries();
  equal_keys_give_the_mean_of_v();
  rows_that_see_nothing_are_zero();
  tiny_values_survive_low_scores();
  masked_nan_never_leaks();
  special_queries_are_counted_once();
  queries_of_sinks_are_not_counted();
  documents_do_not_see_one_another();
  later_tokens_do_not_reach_first_ones();
  return finish_checks();
}
