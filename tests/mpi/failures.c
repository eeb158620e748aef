/* The failure of one rank is a failure of all, with the same status and the same words, and nothing hangs. */
#include <seqring/seqring.h>

#include "check.h"
#include "problem.h"

static int rank, ranks;

static sr_options good_options(void) {
  sr_options o;
  sr_options_default(&o);
  o.q_len = o.kv_len = 2000;
  o.q_heads = o.kv_heads = 1;
  o.head_dim = o.value_dim = 4;
  return o;
}

/* Every rank got this status, and rank 0's words. */
static void check_agreed(sr_status got, sr_status want, const char *word) {
  char text[1024] = "";
  CHECK(got == want);
  CHECK(strstr(sr_error_text(), word) != NULL);
  strncpy(text, sr_error_text(), sizeof text - 1);
  MPI_Bcast(text, sizeof text, MPI_CHAR, 0, MPI_COMM_WORLD);
  CHECK(strcmp(text, sr_error_text()) == 0);
}

static void refuse(sr_options options, const char *word) {
  sr_plan *plan;
  sr_plan_info info;
  check_agreed(sr_plan_create(MPI_COMM_WORLD, &options, &plan), SR_ERR_ARGUMENT, word);
  CHECK(plan == NULL);
  check_agreed(sr_plan_estimate(MPI_COMM_WORLD, &options, &info), SR_ERR_ARGUMENT, word);
}

#define REFUSE(field, value, word)                                                                                     \
  do {                                                                                                                 \
    sr_options o_ = good_options();                                                                                    \
    o_.field = (value);                                                                                                \
    refuse(o_, word);                                                                                                  \
  } while (0)

/* Two documents. */
static void refuse_documents(const int64_t *documents, const char *word) {
  sr_options options = good_options();
  options.mask.documents = documents;
  options.mask.n_documents = 2;
  refuse(options, word);
}

static void bad_options_are_refused(void) {
  REFUSE(version, 99, "version");
  REFUSE(reserved[3], 1, "reserved");
  REFUSE(q_len, 0, "q_len");
  REFUSE(kv_len, -1, "kv_len");
  REFUSE(q_len, INT64_MAX, "q_len");
  REFUSE(q_heads, 0, "q_heads");
  REFUSE(kv_heads, 2, "multiple");
  REFUSE(head_dim, 513, "head_dim");
  REFUSE(value_dim, 0, "value_dim");
  REFUSE(dtype, (sr_dtype)9, "dtype");
  REFUSE(out_dtype, (sr_dtype)9, "out_dtype");
  REFUSE(scale, (double)INFINITY, "scale");
  REFUSE(scale, 1e39, "scale");
  REFUSE(mask.window_left, -2, "window_left");
  REFUSE(mask.window_right, INT64_MIN, "window_right");
  REFUSE(mask.q_start, INT64_MAX, "q_start");
  REFUSE(mask.sinks, -1, "sinks");
  REFUSE(mask.n_documents, 1, "documents is NULL");
  refuse_documents((const int64_t[]){1, 2}, "begins at 1, not at 0");
  refuse_documents((const int64_t[]){0, -5}, "document 1 begins at -5");
  refuse_documents((const int64_t[]){0, INT64_MAX}, "document 1 begins at");
  REFUSE(threads, -1, "threads");
  REFUSE(balance, (sr_balance)7, "balance");
  REFUSE(strategy, (sr_strategy)9, "strategy");
  REFUSE(strategy, SR_STRATEGY_DECODE, "decode");
  REFUSE(head_ranks, 7, "head_ranks");
  REFUSE(piece_bytes, (UINT64_C(1) << 63) + 5, "piece_bytes");
  sr_costs costs;
  sr_costs_default(&costs);
  costs.flops = (double)NAN;
  REFUSE(costs, &costs, "costs");
  REFUSE(dtype, SR_I32, "dtype");
  sr_options o = good_options();
  REFUSE(kv_room, 1, "kv_room");
  o.q_room = o.q_len;
  refuse(o, "q_room");
  o.same_rows = true;
  o.balance = SR_BALANCE_WEIGHTED;
  refuse(o, "same_rows");
}

/* Of more than 2^63 bytes, those of queries alone or those of keys. */
static void huge_tensors_are_refused(void) {
  sr_options o = good_options();
  o.q_heads = o.kv_heads = 1 << 20;
  o.value_dim = 512;
  o.q_len = INT64_C(1) << 30;
  refuse(o, "more bytes");
  o.kv_len = o.q_len, o.q_len = 1;
  refuse(o, "more bytes");
}

static void one_rank_out_of_memory(void) {
  sr_options o = good_options();
  sr_plan *plan;
  o.memory_limit = rank == ranks - 1 ? 1000 : 0;
  check_agreed(sr_plan_create(MPI_COMM_WORLD, &o, &plan), SR_ERR_RESOURCE, "limit");
  CHECK(plan == NULL);
}

static void one_rank_without_a_tensor(void) {
  problem p = {.options = good_options()};
  problem_fill(&p, 1);
  output out;
  CHECK(problem_run(&p, MPI_COMM_WORLD, &out) == SR_OK);
  sr_tensors t = tensors_of(&out);
  if (rank == ranks - 1) t.q = NULL;
  check_agreed(sr_plan_forward(out.plan, &t), SR_ERR_ARGUMENT, "NULL");
  sr_verify_result result;
  check_agreed(sr_plan_verify(out.plan, &t, 5, 1, &result), SR_ERR_ARGUMENT, "NULL");
  output_close(&out);
  problem_free(&p);
}

static void nonfinite_is_refused_when_asked(void) {
  problem p = {.options = good_options()};
  p.options.refuse_nonfinite = true;
  problem_fill(&p, 1);
  const float inf = INFINITY;
  memcpy(p.v + 1999 * 4 * sizeof inf, &inf, sizeof inf);
  output out;
  check_agreed(problem_run(&p, MPI_COMM_WORLD, &out), SR_ERR_NONFINITE, "1 visible");
  output_close(&out);
  p.options.mask.causal = true;
  p.options.mask.q_start = -1; /* key 1999 is seen by none */
  CHECK(problem_run(&p, MPI_COMM_WORLD, &out) == SR_OK);
  output_close(&out);
  problem_free(&p);
}

static void a_wrong_output_is_found(void) {
  problem p = {.options = good_options()};
  problem_fill(&p, 1);
  output out;
  CHECK(problem_run(&p, MPI_COMM_WORLD, &out) == SR_OK);
  sr_tensors t = tensors_of(&out);
  sr_verify_result result;
  CHECK(sr_plan_verify(out.plan, &t, 2000, 1, &result) == SR_OK);
  CHECK(result.worst > 0 && result.worst <= 1);
  float *lse = (float *)(void *)out.lse;
  if (rank == ranks - 1) lse[0] += 1e-3f;
  check_agreed(sr_plan_verify(out.plan, &t, 2000, 1, &result), SR_ERR_WRONG, "query");
  int64_t query = rank == ranks - 1 ? out.q_rows.span[0].start : 0;
  MPI_Bcast(&query, 1, MPI_INT64_T, ranks - 1, MPI_COMM_WORLD);
  CHECK(result.worst_query == query && result.worst_head == 0);
  if (rank == ranks - 1) lse[0] = NAN;
  check_agreed(sr_plan_verify(out.plan, &t, 2000, 1, &result), SR_ERR_WRONG, "query");
  CHECK(isinf(result.lse_error));
  output_close(&out);
  problem_free(&p);
}

/* What a float64 check must not explain away: a row that sees nothing has o = 0 and lse = -inf, a NaN stays one. */
static void a_wrong_special_row_is_found(void) {
  problem p = {.options = good_options()};
  p.options.mask.causal = true;
  p.options.mask.q_start = -1; /* query 0 sees nothing */
  p.options.balance = SR_BALANCE_ZIGZAG;
  problem_fill(&p, 1);
  const float inf = INFINITY;
  memcpy(p.v + 1000 * 4 * sizeof inf, &inf, sizeof inf); /* component 0 of the rows that see it */
  output out;
  CHECK(problem_run(&p, MPI_COMM_WORLD, &out) == SR_OK);
  sr_tensors t = tensors_of(&out);
  sr_verify_result result;
  CHECK(sr_plan_verify(out.plan, &t, 2000, 1, &result) == SR_OK);
  float *lse = (float *)(void *)out.lse, *o = (float *)(void *)out.o, kept = lse[0];
  for (int i = 0; i < 2; i++) {
    if (rank == 0) lse[0] = i ? NAN : 42;
    check_agreed(sr_plan_verify(out.plan, &t, 2000, 1, &result), SR_ERR_WRONG, "query 0");
  }
  if (rank == 0) lse[0] = kept, kept = o[0], o[0] = 0x1p-149f;
  check_agreed(sr_plan_verify(out.plan, &t, 2000, 1, &result), SR_ERR_WRONG, "query 0");
  if (rank == 0) o[0] = kept;
  int64_t last = (out.q_rows.count - 1) * 4; /* rank 0 holds the last query too, under zigzag */
  kept = o[last];
  if (rank == 0) o[last] = 1;
  check_agreed(sr_plan_verify(out.plan, &t, 2000, 1, &result), SR_ERR_WRONG, "query 1999");
  if (rank == 0) o[last] = kept, o[last + 1] += 1;
  check_agreed(sr_plan_verify(out.plan, &t, 2000, 1, &result), SR_ERR_WRONG, "query 1999");
  output_close(&out);
  problem_free(&p);
}

/* The output of a problem passes its check, by so many queries. */
static void confirm(const problem *p, int64_t queries) {
  output out;
  CHECK(problem_run(p, MPI_COMM_WORLD, &out) == SR_OK);
  sr_tensors t = tensors_of(&out);
  sr_verify_result result;
  CHECK(sr_plan_verify(out.plan, &t, queries, 1, &result) == SR_OK);
  output_close(&out);
}

/* A value that is Inf stays Inf however low its score is beside others, in the same segment (there it may be NaN),
 * before them or behind them. */
static void infinite_values_of_low_scores_are_not_wrong(void) {
  static const int64_t top[] = {11, 1500, 1500}, low[] = {10, 10, 1900};
  for (int i = 0; i < 3; i++) {
    problem p = {.options = good_options()};
    problem_fill(&p, 1);
    for (int64_t j = 0; j < 2000; j++)
      problem_set(SR_F32, p.q, j * 4, 1000), problem_set(SR_F32, p.k, j * 4, j == top[i]);
    problem_set(SR_F32, p.v, low[i] * 4, -(double)INFINITY);
    p.options.scale = 2;
    confirm(&p, 2000);
    problem_free(&p);
  }
}

static void tiny_values_are_not_wrong(void) {
  problem p = {.options = good_options()};
  problem_fill(&p, 1);
  for (int64_t i = 0; i < 2000 * 4; i++) {
    float tiny = (float)(i % 7) * 0x1p-149f;
    memcpy(p.v + (size_t)i * sizeof tiny, &tiny, sizeof tiny);
  }
  confirm(&p, 100);
  problem_free(&p);
}

static void different_options_are_refused(void) {
  if (ranks == 1) return;
  sr_options o = good_options();
  if (rank == ranks - 1) o.kv_len++;
  refuse(o, "different options");
  o = good_options();
  const int64_t documents[] = {0, rank == ranks - 1 ? 1 : 2};
  o.mask.documents = documents;
  o.mask.n_documents = 2;
  refuse(o, "different options");
  if (rank == ranks - 1) setenv("SEQRING_ISA", "portable", 1);
  bool alike = strcmp(sr_isa_name(), "portable") == 0; /* on processors that have no other */
  MPI_Allreduce(MPI_IN_PLACE, &alike, 1, MPI_C_BOOL, MPI_LAND, MPI_COMM_WORLD);
  if (!alike) refuse(good_options(), "SEQRING_ISA");
  if (rank == ranks - 1) unsetenv("SEQRING_ISA");
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  bad_options_are_refused();
  huge_tensors_are_refused();
  one_rank_out_of_memory();
  one_rank_without_a_tensor();
  nonfinite_is_refused_when_asked();
  a_wrong_output_is_found();
  a_wrong_special_row_is_found();
  infinite_values_of_low_scores_are_not_wrong();
  tiny_values_are_not_wrong();
  different_options_are_refused();
  return finish_checks();
}
