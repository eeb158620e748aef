#include <inttypes.h>
#include <stdio.h>

#include "bench_output.h"
#include "job/report.h"
#include "text.h"

static void print_head(const sr_bench_output *out) {
  const sr_machine *m = out->machine;
  const sr_bench_method *how = out->method;
  printf("  processor       %s\n", m->processor);
  printf("  kernels         %s\n", m->isa);
  printf("  peak            multiply-adds in registers, %s\n", m->isa);
  printf("  gemm            OpenBLAS %s, %s, %d x %d x %d\n", m->blas_version, m->blas_core, SR_GEMM_SIZE, SR_GEMM_SIZE,
         SR_GEMM_SIZE);
  if (out->any_decode) printf("  read            k and v from end to end, for up to %d queries\n", SR_DECODE_QUERIES);
  printf("  ranks           %d\n", m->ranks);
  printf("  rounds          %d, after %d to warm up\n", how->repeat, how->warmup);
  printf("  error           largest of o against float64, over %" PRId64 " queries\n\n", how->verify);
}

static sr_status begin(sr_bench_output *out) {
  print_head(out);
  printf("%-5s %6s %7s %8s %8s  %-12s %7s  %8s %8s %8s  %8s %7s %7s", "dtype", "heads", "dim", "queries", "keys",
         "mask", "threads", "min", "median", "max", "GFLOP/s", "of peak", "of gemm");
  if (out->any_decode) printf("  %7s %7s", "KV GB/s", "of read");
  if (out->machine->ranks > 1) printf("  %-12s %-10s %7s", "strategy", "balance", "waiting");
  printf("  %10s\n", "error of o");
  fflush(stdout);
  return SR_OK;
}

static void print_case(const sr_bench_line *line) {
  const sr_case *what = &line->what;
  sr_case_text text;
  sr_case_describe(what, &text);
  printf("%-5s %6s %7s %8" PRId64 " %8" PRId64 "  %-12s %7d", text.dtype, text.heads, text.dim, what->q_len,
         what->kv_len, text.mask, line->plan.threads);
}

static void print_decode(const sr_bench_line *line) {
  if (line->is_decode)
    printf("  %7.2f %6.1f%%", line->kv_rate, 100 * line->of_read.median);
  else
    printf("  %7s %7s", "-", "-");
}

static void print_distribution(const sr_bench_line *line) {
  char strategy[SR_STRATEGY_TEXT];
  sr_strategy_of(&line->plan, strategy);
  printf("  %-12s %-10s %6.1f%%", strategy, sr_balance_name(line->plan.balance), 100 * line->waiting.median);
}

static sr_status print_line(sr_bench_output *out, const sr_bench_line *line) {
  char min[SR_NUMBER_TEXT], median[SR_NUMBER_TEXT], max[SR_NUMBER_TEXT];
  print_case(line);
  printf("  %8s %8s %8s  %8.1f %6.1f%% %6.1f%%", sr_text_seconds(line->seconds.min, min),
         sr_text_seconds(line->seconds.median, median), sr_text_seconds(line->seconds.max, max), line->gflops,
         100 * line->of_peak.median, 100 * line->of_gemm.median);
  if (out->any_decode) print_decode(line);
  if (out->machine->ranks > 1) print_distribution(line);
  printf("  %10.1e%s\n", line->verify.o_error, line->is_wrong ? "  WRONG" : "");
  fflush(stdout);
  return SR_OK;
}

static sr_status end(sr_bench_output *out, sr_status status) {
  (void)out;
  return status;
}

const sr_bench_format sr_bench_table = {begin, print_line, end};
