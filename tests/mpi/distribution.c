/* Every way to spread a problem over ranks: the bits of one rank, and the bytes that are foretold. */
#include <seqring/seqring.h>
#include <stdbool.h>

#include "check.h"
#include "comm/comm.h"
#include "problem.h"

enum { HEADS = 8, KV_HEADS = 2, DIM = 12, VALUE_DIM = 20 };

static problem make_problem(int64_t len, bool causal, int64_t left) {
  problem p = {0};
  sr_options_default(&p.options);
  p.options.q_len = p.options.kv_len = len;
  p.options.q_heads = HEADS, p.options.kv_heads = KV_HEADS;
  p.options.head_dim = DIM, p.options.value_dim = VALUE_DIM;
  p.options.mask.causal = causal;
  p.options.mask.window_left = left;
  p.options.threads = 1;
  problem_fill(&p, 3);
  return p;
}

static void check_same_rows(const sr_rows *q, const sr_rows *kv) {
  CHECK(q->n_spans == kv->n_spans);
  for (int i = 0; i < q->n_spans && i < kv->n_spans; i++)
    CHECK(q->span[i].start == kv->span[i].start && q->span[i].count == kv->span[i].count);
}

/* Runs p on all ranks, compares it with what one rank made of it, and returns the bytes that this rank sent. */
static uint64_t run(const problem *p, const output *one) {
  output out;
  sr_plan_info info;
  sr_plan_stats stats;
  CHECK(problem_run(p, MPI_COMM_WORLD, &out) == SR_OK);
  CHECK(!one || same_bits(p, &out, one));
  if (p->options.same_rows) check_same_rows(&out.q_rows, &out.kv_rows);
  sr_plan_describe(out.plan, &info);
  sr_plan_stats_get(out.plan, &stats);
  CHECK(info.strategy == p->options.strategy && info.balance == p->options.balance);
  CHECK(stats.sent_bytes == info.sent_bytes);
  CHECK(stats.nonfinite == 0);
  output_close(&out);
  return stats.sent_bytes;
}

static void all_give_the_same_bits(void) {
  int ranks;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  for (int mask = 0; mask < 2; mask++) {
    problem p = make_problem(3500, mask == 0, mask == 0 ? -1 : 1500);
    output one;
    CHECK(problem_run(&p, MPI_COMM_SELF, &one) == SR_OK);
    for (p.options.strategy = SR_STRATEGY_RING; p.options.strategy < SR_STRATEGY_DECODE; p.options.strategy++)
      for (p.options.balance = SR_BALANCE_CONTIGUOUS; p.options.balance <= SR_BALANCE_WEIGHTED; p.options.balance++)
        for (int overlap = 0; overlap < 2; overlap++) {
          p.options.no_overlap = !overlap;
          p.options.piece_bytes = overlap ? 0 : 5000;
          p.options.same_rows = overlap && p.options.balance != SR_BALANCE_WEIGHTED;
          run(&p, &one);
        }
    output_close(&one);
    problem_free(&p);
  }
}

/* A plan of the begin of a sequence gives ranks the rows that they hold of all of it, and the same result. */
static void sequences_may_grow(void) {
  problem p = make_problem(3500, true, -1);
  output one, many;
  CHECK(problem_run(&p, MPI_COMM_SELF, &one) == SR_OK);
  for (sr_balance balance = SR_BALANCE_CONTIGUOUS; balance < SR_BALANCE_WEIGHTED; balance++) {
    sr_plan *grown;
    sr_rows rows;
    p.options.balance = balance;
    p.options.same_rows = true;
    p.options.q_room = p.options.kv_room = 9000;
    CHECK(problem_run(&p, MPI_COMM_WORLD, &many) == SR_OK);
    CHECK(same_bits(&p, &many, &one));
    check_same_rows(&many.q_rows, &many.kv_rows);
    sr_options whole = p.options;
    whole.kv_len = 9000, whole.q_len = 1, whole.same_rows = false, whole.q_room = 0;
    CHECK(sr_plan_create(MPI_COMM_WORLD, &whole, &grown) == SR_OK);
    sr_plan_kv_rows(grown, &rows);
    CHECK(rows.count >= many.kv_rows.count);
    for (int i = 0; i < many.kv_rows.n_spans; i++) {
      const sr_span is = many.kv_rows.span[i], becomes = rows.span[i];
      CHECK(is.start == becomes.start && (is.count == becomes.count || is.start + is.count == 3500));
    }
    sr_plan_destroy(&grown);
    output_close(&many);
  }
  output_close(&one);
  problem_free(&p);
}

/* One query that moves on is as one that was there from the start. */
static void queries_move(void) {
  problem p = make_problem(3500, true, 2000);
  p.options.q_len = 1;
  p.options.mask.sinks = 3;
  output moved, there;
  CHECK(problem_run(&p, MPI_COMM_WORLD, &moved) == SR_OK);
  sr_tensors t = tensors_of(&moved);
  for (int64_t at = 0; at < 3500; at += 499) {
    sr_plan_info info, want;
    p.options.mask.q_start = at;
    CHECK(sr_plan_move(moved.plan, at) == SR_OK);
    CHECK(sr_plan_forward(moved.plan, &t) == SR_OK);
    CHECK(problem_run(&p, MPI_COMM_WORLD, &there) == SR_OK);
    CHECK(moved.o_bytes == there.o_bytes && memcmp(moved.o, there.o, there.o_bytes) == 0);
    CHECK(memcmp(moved.lse, there.lse, there.lse_bytes) == 0);
    sr_plan_describe(moved.plan, &info);
    sr_plan_describe(there.plan, &want);
    CHECK(info.q_start == at && info.flops == want.flops && info.rank_flops == want.rank_flops);
    output_close(&there);
  }
  CHECK(sr_plan_move(moved.plan, INT64_MAX) == SR_ERR_ARGUMENT);
  output_close(&moved);
  problem_free(&p);
  p = make_problem(3500, true, -1);
  CHECK(problem_run(&p, MPI_COMM_WORLD, &there) == SR_OK);
  CHECK(sr_plan_move(there.plan, 1) == SR_ERR_ARGUMENT);
  output_close(&there);
  problem_free(&p);
}

static uint64_t count_nodes(int ranks) {
  int *node_of = malloc((size_t)ranks * sizeof *node_of), nodes = 0;
  CHECK(sr_comm_nodes(MPI_COMM_WORLD, ranks, node_of) == SR_OK);
  for (int r = 0; r < ranks; r++)
    if (node_of[r] >= nodes) nodes = node_of[r] + 1;
  free(node_of);
  return (uint64_t)nodes;
}

/* With a full mask and as many keys on each rank, of n tokens each: what is written in the comments of each strategy.
 */
static void bytes_are_those_of_the_formulas(void) {
  const uint64_t n = 1024, e = sizeof(float), token = KV_HEADS * (DIM + VALUE_DIM) * e;
  int ranks;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const uint64_t p = (uint64_t)ranks;
  problem full = make_problem(1024 * ranks, false, -1);
  full.options.balance = SR_BALANCE_CONTIGUOUS;
  full.options.strategy = SR_STRATEGY_RING;
  CHECK(run(&full, NULL) == (p - 1) * n * token);
  full.options.strategy = SR_STRATEGY_WINDOW;
  CHECK(run(&full, NULL) == (p - 1) * n * token);
  full.options.strategy = SR_STRATEGY_NODE; /* all nodes have as many ranks */
  CHECK(run(&full, NULL) == (count_nodes(ranks) - 1) * n * token);
  full.options.strategy = SR_STRATEGY_ULYSSES;
  if (HEADS % ranks == 0 && ranks % KV_HEADS == 0) { /* q, one KV head to each rank, and o and lse */
    const uint64_t there = n * (HEADS / p * DIM + DIM + VALUE_DIM) * e, back = n * HEADS / p * (VALUE_DIM + 1) * e;
    CHECK(run(&full, NULL) == (p - 1) * (there + back));
  }
  problem_free(&full);
}

/* Each rank but the first ones lacks as many keys as the window reaches to the left, from whichever ranks. */
static void windows_take_what_they_reach(void) {
  int ranks, rank;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int64_t reach = 100; reach < 3000; reach += 1000) {
    problem p = make_problem(1024 * ranks, true, reach);
    p.options.balance = SR_BALANCE_CONTIGUOUS;
    p.options.strategy = SR_STRATEGY_WINDOW;
    int64_t keys = 0; /* of this rank that those behind it see */
    for (int behind = 1; rank + behind < ranks; behind++) {
      const int64_t seen = reach - (behind - 1) * 1024;
      keys += seen < 0 ? 0 : seen < 1024 ? seen : 1024;
    }
    CHECK(run(&p, NULL) == (uint64_t)keys * KV_HEADS * (DIM + VALUE_DIM) * sizeof(float));
    problem_free(&p);
  }
}

static void costs_are_measured_alike(void) {
  sr_costs costs, first;
  CHECK(sr_costs_measure(MPI_COMM_WORLD, 1, &costs) == SR_OK);
  first = costs;
  CHECK(sr_comm_bcast(MPI_COMM_WORLD, &first, sizeof first, 0) == SR_OK);
  CHECK(memcmp(&first, &costs, sizeof costs) == 0);
  CHECK(costs.flops > 1e7 && costs.copy_s_per_byte > 0);
  for (int i = 0; i < 2; i++) {
    const sr_link *link = i ? &costs.inside : &costs.between;
    CHECK(link->latency_s > 0 && link->s_per_byte > 0 && link->s_per_byte < 1e-3);
    CHECK(link->hidden_s_per_byte >= 0 && link->hidden_s_per_byte < 1e-3);
  }
}

/* The way that a plan takes among all that are open. */
static sr_plan_choice chosen(const problem *p, int *n) {
  sr_plan_choice choice[64];
  sr_plan_info info;
  CHECK(sr_plan_choices(MPI_COMM_WORLD, &p->options, choice, 64, n) == SR_OK);
  CHECK(sr_plan_estimate(MPI_COMM_WORLD, &p->options, &info) == SR_OK);
  CHECK(*n >= 1 && info.strategy == choice[0].strategy && info.balance == choice[0].balance);
  CHECK(info.seconds == choice[0].seconds);
  for (int i = 2; i < *n; i++) CHECK(choice[i].seconds >= choice[i - 1].seconds);
  for (int i = 1; i < *n; i++) CHECK(choice[0].seconds <= 1.02 * choice[i].seconds);
  return choice[0];
}

/* Dear messages let nothing travel where ranks share memory, dear work lets no rank wait. */
static void the_choice_follows_the_costs(void) {
  int ranks, n;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  sr_costs costs;
  sr_costs_default(&costs);
  problem p = make_problem(1024 * ranks, true, -1);
  p.options.costs = &costs;
  costs.inside = costs.between = (sr_link){1, 1, 1};
  sr_plan_choice choice = chosen(&p, &n);
  CHECK(ranks == 1 || count_nodes(ranks) > 1 || choice.sent_bytes == 0);
  sr_costs_default(&costs);
  costs.flops = 1e6;
  choice = chosen(&p, &n);
  CHECK(ranks == 1 ? n == 1 : n > 5);
  CHECK(ranks == 1 || choice.balance != SR_BALANCE_CONTIGUOUS || choice.strategy == SR_STRATEGY_ULYSSES);
  p.options.memory_limit = 1;
  choice = chosen(&p, &n);
  CHECK(isinf(choice.seconds));
  problem_free(&p);
}

/* distribution [LIMIT]: with so many elements for a call of MPI at most. */
int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  if (argc > 1) sr_comm_set_count_limit(atoi(argv[1]));
  all_give_the_same_bits();
  sequences_may_grow();
  queries_move();
  bytes_are_those_of_the_formulas();
  windows_take_what_they_reach();
  costs_are_measured_alike();
  the_choice_follows_the_costs();
  return finish_checks();
}
