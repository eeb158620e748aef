/* The engine on any number of ranks: the bits of one rank, confirmed in float64, over the whole space of options. */
#include <seqring/seqring.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "problem.h"

enum { MOST_DOCUMENTS = 20, MOST_HEADS = 12 };

static void random_documents(uint64_t *r, int64_t *documents, sr_options *o) {
  o->mask.documents = documents;
  o->mask.n_documents = problem_int(r, 1, MOST_DOCUMENTS);
  documents[0] = 0;
  for (int64_t i = 1; i < o->mask.n_documents; i++) {
    const int64_t begin = documents[i - 1] + problem_int(r, 0, o->kv_len / 8);
    documents[i] = begin < o->kv_len ? begin : o->kv_len;
  }
}

static sr_options random_options(uint64_t *r, int n, int64_t *documents, double *slopes) {
  sr_options o;
  sr_options_default(&o);
  int64_t longest = n % 8 ? 700 : 4500;
  bool few = !problem_int(r, 0, 3); /* queries, of which there may be several segments of keys all the same */
  o.q_len = few ? problem_int(r, 1, 20) : problem_int(r, 1, longest);
  o.kv_len = n % 3 && !few ? o.q_len : problem_int(r, 1, few ? 4500 : longest);
  o.products = problem_int(r, 0, 2) ? SR_PRODUCTS_AUTO : SR_PRODUCTS_BF16;
  o.kv_heads = problem_int(r, 1, 3);
  o.q_heads = o.kv_heads * problem_int(r, 1, 4);
  o.head_dim = problem_int(r, 1, 40);
  o.value_dim = n % 4 ? o.head_dim : problem_int(r, 1, 40);
  o.dtype = (sr_dtype)(n % 4);
  o.out_dtype = n % 5 ? (o.dtype == SR_F64 ? SR_F64 : SR_F32) : (sr_dtype)problem_int(r, 0, 3);
  o.mask.causal = problem_int(r, 0, 1);
  if (!problem_int(r, 0, 2)) o.mask.window_left = problem_int(r, 0, longest);
  if (!problem_int(r, 0, 2)) o.mask.window_right = problem_int(r, 0, longest);
  if (!problem_int(r, 0, 2)) o.mask.q_start = problem_int(r, -longest, longest);
  if (!problem_int(r, 0, 2)) o.mask.sinks = problem_int(r, 0, 40);
  if (!problem_int(r, 0, 2)) random_documents(r, documents, &o);
  if (o.mask.sinks > 0 && problem_int(r, 0, 1)) o.mask.window_left = problem_int(r, 0, longest / 2);
  o.sink_queries = o.mask.sinks > 0 && o.mask.window_left >= 0 && problem_int(r, 0, 1);
  if (o.mask.causal && problem_int(r, 0, 1)) {
    for (int64_t i = 0; i < o.q_heads; i++) slopes[i] = (double)problem_int(r, 0, 1000) / 1000;
    o.slopes = slopes;
  }
  if (!problem_int(r, 0, 3)) o.scale = 0.1 * (double)problem_int(r, -20, 20);
  o.threads = (int)problem_int(r, 1, 3);
  return o;
}

/* Any way to spread the same problem over ranks. */
static void spread_anyhow(uint64_t *r, int ranks, sr_options *o) {
  const bool few = o->q_len <= SR_DECODE_QUERIES;
  o->threads = (int)problem_int(r, 1, 4);
  o->balance = (sr_balance)problem_int(r, SR_BALANCE_AUTO, SR_BALANCE_WEIGHTED);
  o->strategy = few ? SR_STRATEGY_AUTO : (sr_strategy)problem_int(r, SR_STRATEGY_AUTO, SR_STRATEGY_HYBRID);
  if (o->sink_queries && o->strategy >= SR_STRATEGY_ULYSSES) o->strategy = SR_STRATEGY_AUTO;
  if (o->strategy == SR_STRATEGY_ULYSSES && o->q_heads < ranks) o->strategy = SR_STRATEGY_HYBRID;
  o->no_overlap = problem_int(r, 0, 1);
  o->piece_bytes = problem_int(r, 0, 1) ? 0 : (uint64_t)problem_int(r, 1000, 100000);
}

/* Plans so far: of each strategy, and with products of the input's type or of bfloat16. */
typedef struct seen_plans {
  int strategy[SR_STRATEGY_DECODE + 1];
  int rounded[2];
  int sink_queries[2], slopes[2]; /* of many, and of few, queries */
} seen_plans;

static void note_plan(seen_plans *seen, const sr_plan *plan) {
  sr_plan_info info;
  sr_plan_stats stats;
  sr_plan_describe(plan, &info);
  sr_plan_stats_get(plan, &stats);
  CHECK(stats.sent_bytes == info.sent_bytes);
  seen->strategy[info.strategy]++;
  seen->rounded[info.compute == SR_BF16]++;
}

static void any_options_same_bits(void) {
  uint64_t r = 7;
  seen_plans seen = {0};
  int ranks;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  for (int n = 0; n < 75; n++) {
    int64_t documents[MOST_DOCUMENTS];
    double slopes[MOST_HEADS];
    problem p = {.options = random_options(&r, n, documents, slopes)};
    problem_fill(&p, (uint64_t)n);
    output one, many;
    CHECK(problem_run(&p, MPI_COMM_SELF, &one) == SR_OK);
    spread_anyhow(&r, ranks, &p.options);
    CHECK(problem_run(&p, MPI_COMM_WORLD, &many) == SR_OK);
    note_plan(&seen, many.plan);
    CHECK(same_bits(&p, &many, &one));
    seen.sink_queries[p.options.q_len <= SR_DECODE_QUERIES] += p.options.sink_queries;
    seen.slopes[p.options.q_len <= SR_DECODE_QUERIES] += p.options.slopes != NULL;
    sr_verify_result result;
    sr_tensors t = tensors_of(&many);
    CHECK(sr_plan_verify(many.plan, &t, 50, (uint64_t)n, &result) == SR_OK);
    CHECK(result.rows == p.options.q_heads * (p.options.q_len < 50 ? p.options.q_len : 50));
    output_close(&one);
    output_close(&many);
    problem_free(&p);
  }
  for (int s = SR_STRATEGY_RING; s <= SR_STRATEGY_DECODE; s++)
    CHECK(seen.strategy[s] >= (s == SR_STRATEGY_ULYSSES ? 1 : 5));
  CHECK(seen.rounded[0] >= 20 && seen.rounded[1] >= 20);
  CHECK(seen.sink_queries[0] >= 2 && seen.sink_queries[1] >= 1);
  CHECK(seen.slopes[0] >= 5 && seen.slopes[1] >= 5);
}

/* A plan may be used again, on other tensors, with the same result as a new one. */
static void plan_is_reusable(void) {
  problem p = {0};
  sr_options_default(&p.options);
  p.options.q_len = p.options.kv_len = 2500;
  p.options.q_heads = p.options.kv_heads = 1;
  p.options.head_dim = p.options.value_dim = 8;
  p.options.mask.causal = true;
  problem_fill(&p, 1);
  output out;
  CHECK(problem_run(&p, MPI_COMM_WORLD, &out) == SR_OK);
  char *first = malloc(out.o_bytes + 1);
  memcpy(first, out.o, out.o_bytes);
  sr_tensors t = tensors_of(&out);
  float *nan_k = malloc(sizeof(float) * 8 * (size_t)(out.kv_rows.count + 1));
  for (int64_t i = 0; i < 8 * out.kv_rows.count; i++) nan_k[i] = NAN;
  CHECK(sr_plan_forward(out.plan, &(sr_tensors){.q = t.q, .k = nan_k, .v = t.v, .o = t.o, .lse = t.lse}) == SR_OK);
  sr_plan_stats stats;
  sr_plan_stats_get(out.plan, &stats);
  CHECK(stats.nonfinite == 8 * 2500);
  CHECK(sr_plan_forward(out.plan, &t) == SR_OK);
  CHECK(memcmp(first, out.o, out.o_bytes) == 0);
  free(first), free(nan_k);
  output_close(&out);
  problem_free(&p);
}

/* Runs q_len queries over 1,024 keys a rank, and returns the bytes that this rank sent, which the plan foretells. */
static uint64_t run_as_described(int ranks, int64_t q_len, sr_strategy strategy) {
  problem p = {0};
  sr_options_default(&p.options);
  p.options.q_len = q_len;
  p.options.kv_len = 1024 * ranks;
  p.options.q_heads = 4, p.options.kv_heads = 2;
  p.options.head_dim = 12, p.options.value_dim = 20;
  p.options.strategy = strategy;
  problem_fill(&p, 2);
  output out;
  CHECK(problem_run(&p, MPI_COMM_WORLD, &out) == SR_OK);
  sr_plan_info info, estimate;
  sr_plan_stats stats;
  sr_plan_describe(out.plan, &info);
  sr_plan_stats_get(out.plan, &stats);
  CHECK(info.strategy == strategy);
  CHECK(stats.sent_bytes == info.sent_bytes);
  CHECK(info.flops == 2.0 * (12 + 20) * 4 * (double)p.options.q_len * (double)p.options.kv_len);
  CHECK(sr_plan_estimate(MPI_COMM_WORLD, &p.options, &estimate) == SR_OK);
  CHECK(estimate.workspace == info.workspace && estimate.tensor_bytes == info.tensor_bytes);
  CHECK(estimate.sent_bytes == info.sent_bytes && estimate.flops == info.flops &&
        estimate.rank_flops == info.rank_flops);
  output_close(&out);
  problem_free(&p);
  return stats.sent_bytes;
}

/* A ring sends each key and value to all other ranks. A few queries go to all ranks, as rows filled up to 64 bytes, and
 * so do their results, as exponents and pairs of doubles, however many keys there are. */
static void bytes_and_flops_are_as_described(void) {
  int ranks;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  CHECK(run_as_described(ranks, 1024 * ranks, SR_STRATEGY_RING) ==
        (uint64_t)(ranks - 1) * 1024 * 2 * (12 + 20) * sizeof(float));
  const uint64_t row = 64 + sizeof(double) * (1 + 2 * (1 + 20));
  CHECK(run_as_described(ranks, 5, SR_STRATEGY_DECODE) == (ranks > 1 ? 5 * 4 * row : 0));
}

static void watch(void *data, int64_t done, int64_t total) {
  int64_t *last = data;
  CHECK(done >= last[0] && done <= total && total > 0);
  last[0] = done;
  last[1] = total;
}

/* Of few queries, which travel, and of many. */
static void progress_never_goes_back(int64_t queries) {
  int64_t last[2] = {0};
  problem p = {0};
  sr_options_default(&p.options);
  p.options.q_len = queries, p.options.kv_len = 3000;
  p.options.q_heads = p.options.kv_heads = 2;
  p.options.head_dim = p.options.value_dim = 8;
  p.options.mask.causal = true;
  p.options.threads = 1;
  p.options.progress = watch;
  p.options.progress_data = last;
  problem_fill(&p, 3);
  output out;
  CHECK(problem_run(&p, MPI_COMM_WORLD, &out) == SR_OK);
  CHECK(last[0] == last[1] && (last[1] > 0 || queries <= SR_DECODE_QUERIES)); /* a rank may have no keys */
  output_close(&out);
  problem_free(&p);
}

/* It is about the last failure, and not about what a plan tried and left. */
static void success_leaves_the_error(void) {
  char before[1024];
  sr_plan *plan = NULL;
  sr_options options;
  sr_options_default(&options);
  options.q_len = options.kv_len = -1;
  options.q_heads = options.kv_heads = 2, options.head_dim = options.value_dim = 8;
  CHECK(sr_plan_create(MPI_COMM_WORLD, &options, &plan) == SR_ERR_ARGUMENT);
  snprintf(before, sizeof before, "%s", sr_error_text());
  for (options.q_len = 1, options.kv_len = 3000; options.q_len < 4000; options.q_len += 2999) {
    CHECK(sr_plan_create(MPI_COMM_WORLD, &options, &plan) == SR_OK);
    sr_plan_destroy(&plan);
  }
  CHECK(*before && strcmp(sr_error_text(), before) == 0);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  if (!sr_isa_name()) { /* SEQRING_ISA is not on this machine: skipped */
    MPI_Finalize();
    return 77;
  }
  any_options_same_bits();
  plan_is_reusable();
  bytes_and_flops_are_as_described();
  progress_never_goes_back(3000);
  progress_never_goes_back(4);
  progress_never_goes_back(1);
  success_leaves_the_error();
  return finish_checks();
}
