#include "summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "job/report.h"
#include "lines.h"

static void print_input(const sr_input_info *input) {
  sr_line_name("input", input->path);
  putchar('\n');
  sr_line_label("");
  const char *keys = input->value_dim == input->head_dim ? "k and v" : "k";
  printf("q %" PRId64 " x %" PRId64 " x %" PRId64 ", %s %" PRId64 " x %" PRId64 " x %" PRId64, input->q_len,
         input->q_heads, input->head_dim, keys, input->kv_len, input->kv_heads, input->head_dim);
  if (input->value_dim != input->head_dim)
    printf(", v %" PRId64 " x %" PRId64 " x %" PRId64, input->kv_len, input->kv_heads, input->value_dim);
  printf(", %s\n", sr_dtype_name(input->dtype));
}

static void print_side(int64_t keys, const char *side) {
  if (keys < 0)
    printf("all keys to the %s", side);
  else
    printf("%" PRId64 " %s to the %s", keys, keys == 1 ? "key" : "keys", side);
}

static void print_mask(const sr_mask *mask, const sr_input_info *input, const sr_plan_info *plan) {
  sr_line_label("mask");
  bool window = mask->window_left >= 0 || mask->window_right >= 0;
  printf("%s", mask->causal ? "causal, " : window ? "" : "none, ");
  if (window) {
    print_side(mask->window_left, "left");
    printf(" and ");
    print_side(mask->window_right, "right");
    printf(", ");
  }
  if (mask->sinks) printf("%" PRId64 " %s, ", mask->sinks, mask->sinks == 1 ? "sink" : "sinks");
  if (input->n_documents)
    printf("%" PRId64 " %s, ", input->n_documents, input->n_documents == 1 ? "document" : "documents");
  printf("first query at position %" PRId64 ", scale %.9g\n", plan->q_start, plan->scale);
}

/* Ranks whose places are shown; --stats has all. */
enum { PLACES_SHOWN = 16 };

/* Where each rank is bound. */
static void print_places(const sr_attend_report *report) {
  const int ranks = report->plan.ranks;
  for (int i = 0; i < ranks && i < PLACES_SHOWN; i++) {
    const sr_placement *place = &report->place[i];
    char name[SR_NUMBER_TEXT];
    snprintf(name, sizeof name, "rank %d", i);
    sr_line_name(name, place->host);
    printf(", CPU %s, NUMA %s, %d %s\n", place->cpus, place->numa, place->threads,
           place->threads == 1 ? "thread" : "threads");
  }
  if (ranks > PLACES_SHOWN) printf("  and %d more ranks, in --stats\n", ranks - PLACES_SHOWN);
}

static void print_head(const sr_attend_job *job, const sr_attend_report *report) {
  print_input(job->input);
  print_mask(&job->mask, job->input, &report->plan);
  sr_line_plan(&report->plan);
  if (report->plan.ranks > 1) print_places(report);
  sr_line_spreads();
}

static const char *whole(double value, char text[SR_NUMBER_TEXT]) {
  snprintf(text, SR_NUMBER_TEXT, "%.0f", value);
  return text;
}

static void print_verify(const sr_verify_result *verify) {
  sr_line_label("verified");
  printf("%" PRId64 " rows in float64: o within %.2g, lse within %.2g, %.0f%% of what rounding explains\n",
         verify->rows, verify->o_error, verify->lse_error, 100 * verify->worst);
}

static void print_output(const sr_attend_job *job, const sr_attend_report *report) {
  char size[SR_NUMBER_TEXT];
  sr_line_name("output", job->output);
  printf("\n");
  sr_line_label("");
  printf("o %" PRId64 " x %" PRId64 " x %" PRId64 " %s, lse %s, %s\n", job->input->q_len, job->input->q_heads,
         job->input->value_dim, sr_dtype_name(report->out_dtype), sr_dtype_name(report->plan.lse_dtype),
         sr_text_bytes((double)report->output_bytes, size));
}

void sr_summary_print(const sr_attend_job *job, const sr_attend_report *report) {
  char text[SR_NUMBER_TEXT], all[SR_NUMBER_TEXT];
  print_head(job, report);
  sr_line_spread("read", &report->read_s, sr_text_seconds);
  sr_line_spread("attention", &report->attention_s, sr_text_seconds);
  sr_line_spread("waiting for KV", &report->wait_s, sr_text_seconds);
  sr_line_spread("write", &report->write_s, sr_text_seconds);
  sr_line_spread("sent", &report->sent, sr_text_bytes);
  sr_line_spread("peak memory", &report->peak, sr_text_bytes);
  putchar('\n');
  sr_line_label("speed");
  printf("%stokens/s, %.1f GFLOP/s\n", sr_text_metric(report->tokens_per_s, text), report->gflops);
  sr_line_label("wall time");
  printf("%s, %s sent in all\n", sr_text_seconds(report->wall_s, text),
         sr_text_bytes(report->sent.mean * report->plan.ranks, all));
  if (report->nonfinite > 0) {
    sr_line_label("not finite");
    printf("%" PRId64 " elements of q, k and v that some query sees\n", report->nonfinite);
  }
  if (report->verify.rows > 0) print_verify(&report->verify);
  print_output(job, report);
}

/* The ways that were open, with what they are expected to take. */
static void print_choices(const sr_attend_report *report) {
  const int shown = report->n_choices < SR_CHOICES_SHOWN ? report->n_choices : SR_CHOICES_SHOWN;
  printf("\n  %-16s%12s%12s%14s%12s\n", "strategy", "balance", "expected", "sent a rank", "workspace");
  for (int i = 0; i < shown; i++) {
    const sr_plan_choice *c = &report->choice[i];
    char strategy[SR_STRATEGY_TEXT], seconds[SR_NUMBER_TEXT], sent[SR_NUMBER_TEXT], workspace[SR_NUMBER_TEXT];
    const sr_plan_info plan = {.strategy = c->strategy, .head_ranks = c->head_ranks, .ranks = report->plan.ranks};
    sr_strategy_of(&plan, strategy);
    const bool fits = isfinite(c->seconds);
    printf("  %-16s%12s%12s%14s%12s%s\n", strategy, sr_balance_name(c->balance),
           fits ? sr_text_seconds(c->seconds, seconds) : "no room", sr_text_bytes((double)c->sent_bytes, sent),
           sr_text_bytes((double)c->workspace, workspace), i == 0 && fits ? "  taken" : "");
  }
  if (report->n_choices > shown) printf("  and %d more\n", report->n_choices - shown);
}

void sr_summary_print_plan(const sr_attend_job *job, const sr_attend_report *report) {
  char text[SR_NUMBER_TEXT];
  const sr_plan_info *plan = &report->plan;
  print_head(job, report);
  sr_line_spread("queries", &report->q_rows, whole);
  sr_line_spread("tensors", &report->tensors, sr_text_bytes);
  sr_line_spread("workspace", &report->workspace, sr_text_bytes);
  if (report->shared.max > 0) sr_line_spread("shared on a node", &report->shared, sr_text_bytes);
  sr_line_spread("memory", &report->memory, sr_text_bytes);
  sr_line_spread("to send", &report->sent, sr_text_bytes);
  if (report->far.max > 0) sr_line_spread("to other nodes", &report->far, sr_text_bytes);
  putchar('\n');
  sr_line_label("to send in all");
  printf("%s\n", sr_text_bytes(report->sent.mean * plan->ranks, text));
  sr_line_label("operations");
  printf("%sFLOP in all\n", sr_text_metric(plan->flops, text));
  sr_line_label("tile");
  printf("%" PRId64 " rows (queries x heads), %" PRId64 " keys a step\n", plan->tile_rows, plan->key_block);
  if (plan->ranks > 1) print_choices(report);
  puts("\n  Dry run: nothing was computed or written.");
}
