#include <stdio.h>

#include "base/error.h"
#include "bench_output.h"
#include "job/json.h"
#include "job/provenance.h"
#include "job/report.h"

static sr_status no_memory(void) {
  return sr_fail(SR_ERR_RESOURCE, "no memory for the JSON of the benchmark");
}

static sr_status begin(sr_bench_output *out) {
  out->lines = json_array();
  return out->lines ? SR_OK : no_memory();
}

/* Whole where it is in reach of JSON's integers. */
static json_t *count(double value) {
  return value < 0x1p63 ? json_integer((json_int_t)value) : sr_json_number(value);
}

static json_t *figure_json(const sr_figure *figure) {
  return json_pack("{s:f, s:f, s:f}", "min", figure->min, "median", figure->median, "max", figure->max);
}

static json_t *verify_json(const sr_bench_line *line) {
  const sr_verify_result *verify = &line->verify;
  return json_pack("{s:I, s:o, s:o, s:o, s:b}", "rows", (json_int_t)verify->rows, "o_error",
                   sr_json_number(verify->o_error), "lse_error", sr_json_number(verify->lse_error), "of_rounding",
                   sr_json_number(verify->worst), "wrong", (int)line->is_wrong);
}

static json_t *case_json(const sr_bench_line *line) {
  const sr_case *what = &line->what;
  const sr_plan_info *plan = &line->plan;
  sr_case_text text;
  char strategy[SR_STRATEGY_TEXT];
  sr_case_describe(what, &text);
  sr_strategy_of(plan, strategy);
  return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:o, s:f}", "dtype",
                   text.dtype, "q_heads", (json_int_t)what->q_heads, "kv_heads", (json_int_t)what->kv_heads, "head_dim",
                   (json_int_t)what->head_dim, "value_dim", (json_int_t)what->value_dim, "queries",
                   (json_int_t)what->q_len, "keys", (json_int_t)what->kv_len, "mask", text.mask, "ranks", plan->ranks,
                   "threads", plan->threads, "isa", plan->isa, "compute", sr_dtype_name(plan->compute), "strategy",
                   strategy, "balance", sr_balance_name(plan->balance), "flops", count(plan->flops), "gflops",
                   line->gflops);
}

static json_t *line_json(const sr_bench_line *line) {
  json_t *json = case_json(line);
  int failed = !json;
  for (int i = 0; !failed && i < sr_n_bench_keys; i++) {
    const sr_bench_key *key = &sr_bench_key_table[i];
    bool measured = line->is_decode || !key->decode_only;
    failed = json_object_set_new(json, key->name, measured ? figure_json(sr_bench_figure(key, line)) : json_null());
  }
  failed = failed || json_object_set_new(json, "kv_bytes", line->is_decode ? count(line->kv_bytes) : json_null()) ||
           json_object_set_new(json, "kv_gb_per_s", line->is_decode ? sr_json_number(line->kv_rate) : json_null()) ||
           json_object_set_new(json, "verify", verify_json(line));
  if (!failed) return json;
  json_decref(json);
  return NULL;
}

static sr_status keep_line(sr_bench_output *out, const sr_bench_line *line) {
  return json_array_append_new(out->lines, line_json(line)) ? no_memory() : SR_OK;
}

static json_t *machine_json(const sr_machine *m) {
  return json_pack("{s:o, s:s, s:{s:s, s:o, s:o, s:i}, s:i, s:o}", "processor", sr_json_text(m->processor), "isa",
                   m->isa, "gemm", "library", "OpenBLAS", "version", sr_json_text(m->blas_version), "core",
                   sr_json_text(m->blas_core), "size", SR_GEMM_SIZE, "ranks", m->ranks, "versions", sr_versions_json());
}

static json_t *method_json(const sr_bench_method *how) {
  return json_pack("{s:i, s:i, s:I, s:I}", "repeat", how->repeat, "warmup", how->warmup, "verify",
                   (json_int_t)how->verify, "seed", (json_int_t)how->seed);
}

static sr_status print_all(const sr_bench_output *out) {
  json_t *json = json_pack("{s:o, s:o, s:O}", "machine", machine_json(out->machine), "method", method_json(out->method),
                           "lines", out->lines);
  if (!json) return no_memory();
  const bool failed = json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0;
  sr_status status = failed && !ferror(stdout) ? no_memory() : SR_OK; /* sr_exit_printed tells of a stream */
  putchar('\n');
  json_decref(json);
  return status;
}

/* After a failure other than a wrong line there is no object: half of one would look whole. */
static sr_status end(sr_bench_output *out, sr_status status) {
  if (status == SR_OK || status == SR_ERR_WRONG) {
    sr_status printed = print_all(out);
    if (printed != SR_OK) status = printed;
  }
  json_decref(out->lines);
  return status;
}

const sr_bench_format sr_bench_json = {begin, keep_line, end};
