#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "gemm.h"
#include "job/fit.h"
#include "job/report.h"
#include "job/world.h"
#include "peaks.h"
#include "tensors.h"

/* What a round measures. */
typedef enum measured { SECONDS, PEAK, GEMM, READ, WAITING, OF_PEAK, OF_GEMM, OF_READ, N_MEASURED } measured;

struct sr_bench {
  MPI_Comm comm;
  sr_bench_method method;
  sr_gemm gemm;
  sr_bench_tensors tensors;
  double *round; /* [N_MEASURED][repeat] */
  sr_costs costs;
  int costs_of; /* threads that these were measured with */
};

sr_status sr_bench_open(MPI_Comm comm, const sr_bench_method *method, sr_bench **bench) {
  *bench = calloc(1, sizeof **bench);
  double *round = calloc((size_t)method->repeat * N_MEASURED, sizeof *round);
  if (!*bench || !round) {
    free(round);
    sr_bench_close(bench);
    return sr_fail(SR_ERR_RESOURCE, "no memory for the figures of %d rounds", method->repeat);
  }
  **bench = (sr_bench){.comm = comm, .method = *method, .round = round};
  return SR_OK;
}

void sr_bench_close(sr_bench **bench) {
  if (!*bench) return;
  sr_gemm_free(&(*bench)->gemm);
  sr_bench_tensors_free(&(*bench)->tensors);
  free((*bench)->round);
  free(*bench);
  *bench = NULL;
}

sr_status sr_bench_place(MPI_Comm comm, sr_list *threads, const sr_job_events *events) {
  for (int i = 0; i < threads->n; i++) {
    sr_fit fit;
    SR_TRY(sr_fit_threads(comm, (int)threads->item[i].first, &fit));
    SR_TRY(sr_fit_warn(comm, &fit, events));
    threads->item[i].first = fit.placement.threads;
  }
  return SR_OK;
}

/* The costs of the machine, where they decide something: measured when so many threads a rank are asked for first. */
static sr_status find_costs(sr_bench *b, sr_options *opt) {
  int ways;
  SR_TRY(sr_plan_choices(b->comm, opt, NULL, 0, &ways));
  if (ways == 1) return SR_OK;
  if (b->costs_of != opt->threads) SR_TRY(sr_costs_measure(b->comm, opt->threads, &b->costs));
  b->costs_of = opt->threads;
  opt->costs = &b->costs;
  return SR_OK;
}

static sr_options options_of(const sr_case *what) {
  sr_options opt;
  sr_options_default(&opt);
  opt.q_len = what->q_len;
  opt.kv_len = what->kv_len;
  opt.q_heads = what->q_heads;
  opt.kv_heads = what->kv_heads;
  opt.head_dim = what->head_dim;
  opt.value_dim = what->value_dim;
  opt.dtype = what->dtype;
  opt.out_dtype = what->dtype == SR_F64 ? SR_F64 : SR_F32;
  opt.mask.causal = what->causal;
  opt.mask.window_left = what->window;
  opt.mask.window_right = what->window >= 0 ? 0 : -1;
  opt.threads = what->threads;
  opt.strategy = what->strategy.strategy;
  opt.head_ranks = what->strategy.head_ranks;
  opt.balance = what->balance;
  if (what->dtype == SR_BF16) opt.products = SR_PRODUCTS_BF16;
  return opt;
}

/* Keys that some query sees: queries stand at the end. */
static int64_t visible_keys(const sr_case *what) {
  if (what->window < 0 || what->window >= what->kv_len - what->q_len) return what->kv_len;
  return what->window + what->q_len;
}

static sr_status sum_of_ranks(MPI_Comm comm, const sr_plan_info *plan, double *value) {
  sr_spread spread;
  SR_TRY(sr_spread_find(comm, *value, &spread));
  *value = spread.mean * plan->ranks;
  return SR_OK;
}

/* Threads of OpenMP and of OpenBLAS that have nothing to do look out for work for a while before they sleep, on the
 * cores that the other's need. */
static void let_threads_sleep(int threads) {
  struct timespec moment = {.tv_nsec = 100000000};
  if (threads > 1) nanosleep(&moment, NULL);
}

/* What the machine can do, each on all ranks at once. */
static sr_status measure_machine(const sr_bench *b, const sr_bench_line *line, double value[N_MEASURED]) {
  const sr_plan_info *plan = &line->plan;
  const sr_bench_tensors *t = &b->tensors;
  SR_TRY(sr_world_agree(b->comm, SR_OK));
  value[PEAK] = sr_flop_rate(plan->isa, plan->compute, plan->threads) * 1e-9;
  if (value[PEAK] == 0) return sr_fail(SR_ERR_INTERNAL, "no loop tells the peak of %s", plan->isa);
  SR_TRY(sum_of_ranks(b->comm, plan, &value[PEAK]));
  let_threads_sleep(plan->threads);
  SR_TRY(sr_world_agree(b->comm, SR_OK));
  value[GEMM] = sr_gemm_rate(&b->gemm, plan->threads) * 1e-9;
  SR_TRY(sum_of_ranks(b->comm, plan, &value[GEMM]));
  let_threads_sleep(plan->threads);
  if (!line->is_decode) return SR_OK;
  SR_TRY(sr_world_agree(b->comm, SR_OK));
  value[READ] = sr_read_rate(plan->isa, t->k, t->k_bytes, t->v, t->v_bytes, plan->threads) * 1e-9;
  return sum_of_ranks(b->comm, plan, &value[READ]);
}

static sr_status measure_attention(const sr_bench *b, sr_plan *plan, const sr_tensors *tensors,
                                   double value[N_MEASURED]) {
  sr_spread seconds, waiting;
  sr_plan_stats stats;
  SR_TRY(sr_world_agree(b->comm, SR_OK));
  double start = sr_now();
  SR_TRY(sr_plan_forward(plan, tensors));
  SR_TRY(sr_spread_find(b->comm, sr_now() - start, &seconds));
  sr_plan_stats_get(plan, &stats);
  SR_TRY(sr_spread_find(b->comm, stats.wait_s, &waiting));
  value[SECONDS] = seconds.max;
  value[WAITING] = waiting.max / seconds.max;
  return SR_OK;
}

static sr_status measure_round(const sr_bench *b, sr_plan *plan, const sr_tensors *tensors, const sr_bench_line *line,
                               double value[N_MEASURED]) {
  SR_TRY(measure_machine(b, line, value));
  SR_TRY(measure_attention(b, plan, tensors, value));
  double rate = line->plan.flops / value[SECONDS] * 1e-9;
  value[OF_PEAK] = rate / value[PEAK];
  value[OF_GEMM] = rate / value[GEMM];
  if (line->is_decode) value[OF_READ] = line->kv_bytes / value[SECONDS] * 1e-9 / value[READ];
  return SR_OK;
}

static void summarise(const sr_bench *b, sr_bench_line *line) {
  sr_figure figure[N_MEASURED];
  for (int i = 0; i < N_MEASURED; i++)
    figure[i] = sr_figure_of(b->round + (ptrdiff_t)i * b->method.repeat, b->method.repeat);
  line->seconds = figure[SECONDS];
  line->peak = figure[PEAK];
  line->gemm = figure[GEMM];
  line->read = figure[READ];
  line->waiting = figure[WAITING];
  line->of_peak = figure[OF_PEAK];
  line->of_gemm = figure[OF_GEMM];
  line->of_read = figure[OF_READ];
  line->gflops = line->plan.flops / line->seconds.median * 1e-9;
  line->kv_rate = line->kv_bytes / line->seconds.median * 1e-9;
}

static sr_status measure_rounds(sr_bench *b, sr_plan *plan, const sr_tensors *tensors, sr_bench_line *line) {
  for (int round = -b->method.warmup; round < b->method.repeat; round++) {
    double value[N_MEASURED] = {0};
    SR_TRY(measure_round(b, plan, tensors, line, value));
    for (int i = 0; round >= 0 && i < N_MEASURED; i++) b->round[i * b->method.repeat + round] = value[i];
  }
  summarise(b, line);
  return SR_OK;
}

static sr_status measure(sr_bench *b, sr_plan *plan, const sr_options *opt, sr_bench_line *line) {
  sr_bench_tensors *t = &b->tensors;
  const sr_dtype gemm_type = line->plan.compute == SR_F64 ? SR_F64 : SR_F32;
  sr_status status = SR_OK;
  if (!sr_bench_tensors_suit(t, opt, &line->plan)) status = sr_bench_tensors_make(plan, opt, b->method.seed, t);
  SR_TRY(sr_world_agree(b->comm, status));
  SR_TRY(sr_world_agree(b->comm, sr_gemm_prepare(gemm_type, line->plan.threads, &b->gemm)));
  const sr_tensors tensors = {.q = t->q, .k = t->k, .v = t->v, .o = t->o, .lse = t->lse};
  SR_TRY(measure_rounds(b, plan, &tensors, line));
  status = sr_plan_verify(plan, &tensors, b->method.verify, b->method.seed, &line->verify);
  line->is_wrong = status == SR_ERR_WRONG;
  return line->is_wrong ? SR_OK : status;
}

/* Frees the tensors of the case before where they are of no use, and checks that what is to be allocated fits. */
static sr_status check_memory(sr_bench *b, const sr_options *opt, const sr_bench_line *line) {
  sr_fit fit;
  char name[128];
  bool reused = sr_bench_tensors_suit(&b->tensors, opt, &line->plan);
  if (!reused) sr_bench_tensors_free(&b->tensors);
  double need = (double)line->plan.workspace + (reused ? 0 : (double)line->plan.tensor_bytes);
  SR_TRY(sr_fit_threads(b->comm, opt->threads, &fit));
  snprintf(name, sizeof name, "%lld queries and %lld keys", (long long)opt->q_len, (long long)opt->kv_len);
  return sr_fit_memory(b->comm, &fit, need, (double)line->plan.shared, name);
}

sr_status sr_bench_check(MPI_Comm comm, const sr_case *what) {
  const sr_options opt = options_of(what);
  int ways;
  SR_TRY(sr_strategy_fits(comm, &what->strategy));
  return sr_plan_choices(comm, &opt, NULL, 0, &ways);
}

sr_status sr_bench_run(sr_bench *bench, const sr_case *what, sr_bench_line *line) {
  sr_options opt = options_of(what);
  SR_TRY(find_costs(bench, &opt));
  *line = (sr_bench_line){.what = *what, .is_decode = what->q_len <= SR_DECODE_QUERIES};
  line->kv_bytes = (double)visible_keys(what) * (double)what->kv_heads * (double)(what->head_dim + what->value_dim) *
                   (double)sr_dtype_size(what->dtype);
  SR_TRY(sr_plan_estimate(bench->comm, &opt, &line->plan));
  sr_strategy_keep(&line->plan, &opt);
  SR_TRY(check_memory(bench, &opt, line));
  sr_plan *plan;
  SR_TRY(sr_plan_create(bench->comm, &opt, &plan));
  sr_status status = measure(bench, plan, &opt, line);
  if (status != SR_ERR_MPI) sr_plan_destroy(&plan);
  return status;
}
