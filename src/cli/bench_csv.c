#include <inttypes.h>
#include <stdio.h>

#include "bench_output.h"
#include "job/report.h"

static sr_status begin(sr_bench_output *out) {
  (void)out;
  fputs("dtype,q_heads,kv_heads,head_dim,value_dim,queries,keys,mask,ranks,threads,strategy,balance,isa,flops,gflops,"
        "kv_bytes,kv_gb_per_s",
        stdout);
  for (int i = 0; i < sr_n_bench_keys; i++) {
    const char *name = sr_bench_key_table[i].name;
    printf(",%s_min,%s_median,%s_max", name, name, name);
  }
  puts(",verified_rows,o_error,lse_error,of_rounding,wrong");
  fflush(stdout);
  return SR_OK;
}

static void print_figures(const sr_bench_line *line) {
  for (int i = 0; i < sr_n_bench_keys; i++) {
    const sr_bench_key *key = &sr_bench_key_table[i];
    const sr_figure *figure = sr_bench_figure(key, line);
    if (key->decode_only && !line->is_decode)
      fputs(",,,", stdout);
    else
      printf(",%.9g,%.9g,%.9g", figure->min, figure->median, figure->max);
  }
}

static sr_status print_line(sr_bench_output *out, const sr_bench_line *line) {
  (void)out;
  const sr_case *what = &line->what;
  const sr_verify_result *verify = &line->verify;
  sr_case_text text;
  char strategy[SR_STRATEGY_TEXT];
  sr_case_describe(what, &text);
  sr_strategy_of(&line->plan, strategy);
  printf("%s,%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%s,%d,%d,%s,%s,%s,%.17g,%.9g",
         text.dtype, what->q_heads, what->kv_heads, what->head_dim, what->value_dim, what->q_len, what->kv_len,
         text.mask, line->plan.ranks, line->plan.threads, strategy, sr_balance_name(line->plan.balance), line->plan.isa,
         line->plan.flops, line->gflops);
  if (line->is_decode)
    printf(",%.17g,%.9g", line->kv_bytes, line->kv_rate);
  else
    fputs(",,", stdout);
  print_figures(line);
  printf(",%" PRId64 ",%.9g,%.9g,%.9g,%d\n", verify->rows, verify->o_error, verify->lse_error, verify->worst,
         line->is_wrong);
  fflush(stdout);
  return SR_OK;
}

static sr_status end(sr_bench_output *out, sr_status status) {
  (void)out;
  return status;
}

const sr_bench_format sr_bench_csv = {begin, print_line, end};
