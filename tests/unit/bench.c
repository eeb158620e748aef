/* The parts of the benchmark that need no MPI: lists, medians, random tensors; and the loops of kernels/peak.h. */
#include <math.h>
#include <string.h>

#include "bench/figure.h"
#include "bench/normal.h"
#include "bench/sweep.h"
#include "kernels/peak.h"
#include "suite.h"

/* What the only item of text is; first is -1 when it is refused. */
static sr_item item_of(sr_axis axis, const char *text) {
  sr_list list;
  if (sr_list_parse(axis, text, &list) || list.n != 1) return (sr_item){.first = -1};
  return list.item[0];
}

static void items(void) {
  CU_ASSERT_EQUAL(item_of(SR_AXIS_SEQ, "4096").first, 4096);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_SEQ, "64k").first, 65536);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_SEQ, "3M").first, 3 << 20);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_SEQ, "1048576M").first, INT64_C(1) << 40);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_QUERIES, "all").first, 0);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_QUERIES, "1").first, 1);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_HEADS, "8").second, 8);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_HEADS, "8:2").second, 2);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_DIM, "64:48").first, 64);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_DIM, "64:48").second, 48);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_MASK, "full").first, 0);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_MASK, "causal").second, -1);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_MASK, "window:1k").second, 1024);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_MASK, "window:0").second, 0);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_DTYPE, "bf16").first, SR_BF16);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_THREADS, "auto").first, 0);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_STRATEGY, "node").first, SR_STRATEGY_NODE);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_STRATEGY, "hybrid").second, 0);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_STRATEGY, "hybrid:4x20").first, SR_STRATEGY_HYBRID);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_STRATEGY, "hybrid:4x20").second, 4);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_STRATEGY, "hybrid:4x20").third, 20);
  CU_ASSERT_EQUAL(item_of(SR_AXIS_BALANCE, "weighted").first, SR_BALANCE_WEIGHTED);
}

static void refused_items(void) {
  static const struct {
    sr_axis axis;
    const char *text;
  } bad[] = {
      {SR_AXIS_SEQ, ""},
      {SR_AXIS_SEQ, "0"},
      {SR_AXIS_SEQ, "-1"},
      {SR_AXIS_SEQ, "4x"},
      {SR_AXIS_SEQ, "1.5k"},
      {SR_AXIS_SEQ, " 4"},
      {SR_AXIS_SEQ, "4 "},
      {SR_AXIS_SEQ, "k"},
      {SR_AXIS_SEQ, "4kk"},
      {SR_AXIS_SEQ, "all"},
      {SR_AXIS_SEQ, "1048577M"},
      {SR_AXIS_SEQ, "99999999999999999999"},
      {SR_AXIS_QUERIES, "0"},
      {SR_AXIS_HEADS, "8:3"},
      {SR_AXIS_HEADS, "8:"},
      {SR_AXIS_HEADS, ":8"},
      {SR_AXIS_HEADS, "8:2:1"},
      {SR_AXIS_HEADS, "2:8"},
      {SR_AXIS_DIM, "513"},
      {SR_AXIS_DIM, "64:0"},
      {SR_AXIS_MASK, "window"},
      {SR_AXIS_MASK, "window:"},
      {SR_AXIS_MASK, "window:x"},
      {SR_AXIS_MASK, "window:-1"},
      {SR_AXIS_MASK, "Full"},
      {SR_AXIS_DTYPE, "f8"},
      {SR_AXIS_DTYPE, "float32"},
      {SR_AXIS_THREADS, "0"},
      {SR_AXIS_THREADS, "4097"},
      {SR_AXIS_STRATEGY, "rings"},
      {SR_AXIS_STRATEGY, "hybrid:4"},
      {SR_AXIS_STRATEGY, "hybrid:0x4"},
      {SR_AXIS_BALANCE, "even"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CU_ASSERT_EQUAL(item_of(bad[i].axis, bad[i].text).first, -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_error_text(), bad[i].text));
  }
}

static void lists(void) {
  sr_list list;
  CU_ASSERT_EQUAL(sr_list_parse(SR_AXIS_SEQ, "1,2k,3M", &list), SR_OK);
  CU_ASSERT_EQUAL(list.n, 3);
  CU_ASSERT_EQUAL(list.item[1].first, 2048);
  CU_ASSERT_EQUAL(sr_list_parse(SR_AXIS_SEQ, "1,,2", &list), SR_ERR_ARGUMENT);
  CU_ASSERT_EQUAL(sr_list_parse(SR_AXIS_SEQ, "1,2,", &list), SR_ERR_ARGUMENT);
  char many[2 * (SR_AXIS_ITEMS + 1)] = "";
  for (int i = 0; i <= SR_AXIS_ITEMS; i++) strcat(many, i ? ",1" : "1");
  CU_ASSERT_EQUAL(sr_list_parse(SR_AXIS_SEQ, many, &list), SR_ERR_ARGUMENT);
  many[strlen(many) - 2] = '\0';
  CU_ASSERT_EQUAL(sr_list_parse(SR_AXIS_SEQ, many, &list), SR_OK);
}

static void combinations(void) {
  static const char *const text[SR_N_AXES] = {
      [SR_AXIS_DTYPE] = "f32,f64", [SR_AXIS_HEADS] = "8:2",     [SR_AXIS_DIM] = "64:48",
      [SR_AXIS_QUERIES] = "all,1", [SR_AXIS_SEQ] = "4,5,6",     [SR_AXIS_MASK] = "full",
      [SR_AXIS_THREADS] = "1,2",   [SR_AXIS_STRATEGY] = "auto", [SR_AXIS_BALANCE] = "auto"};
  sr_sweep sweep;
  for (int axis = 0; axis < SR_N_AXES; axis++)
    CU_ASSERT_EQUAL(sr_list_parse((sr_axis)axis, text[axis], &sweep.axis[axis]), SR_OK);
  CU_ASSERT_EQUAL(sr_sweep_cases(&sweep), 24);
  sr_case first = sr_sweep_case(&sweep, 0), last = sr_sweep_case(&sweep, 23);
  CU_ASSERT(first.dtype == SR_F32 && first.q_len == 4 && first.kv_len == 4 && first.threads == 1);
  CU_ASSERT(last.dtype == SR_F64 && last.q_len == 1 && last.kv_len == 6 && last.threads == 2);
  sr_case_text words;
  sr_case_describe(&last, &words);
  CU_ASSERT_STRING_EQUAL(words.dtype, "f64");
  CU_ASSERT_STRING_EQUAL(words.heads, "8:2");
  CU_ASSERT_STRING_EQUAL(words.dim, "64:48");
  CU_ASSERT_STRING_EQUAL(words.mask, "full");
}

static void medians(void) {
  sr_figure odd = sr_figure_of((double[]){3, 1, 2}, 3), even = sr_figure_of((double[]){4, 1, 3, 2}, 4);
  CU_ASSERT(odd.min == 1 && odd.median == 2 && odd.max == 3);
  CU_ASSERT(even.min == 1 && even.median == 2.5 && even.max == 4);
}

enum { TOKENS = 1000, WIDTH = 63 };

static void tensors_are_normal(void) {
  static double all[TOKENS * WIDTH];
  double sum = 0, squares = 0, fourth = 0;
  const sr_span span = {0, TOKENS};
  const sr_rows rows = {.count = TOKENS, .n_spans = 1, .span = &span};
  CU_ASSERT_EQUAL(sr_normal_fill(SR_F64, 1, &rows, WIDTH, 2, all), SR_OK);
  for (int i = 0; i < TOKENS * WIDTH; i++) {
    sum += all[i];
    squares += all[i] * all[i];
    fourth += pow(all[i], 4);
  }
  const double n = TOKENS * WIDTH;
  CU_ASSERT_DOUBLE_EQUAL(sum / n, 0, 0.03);
  CU_ASSERT_DOUBLE_EQUAL(squares / n, 1, 0.05);
  CU_ASSERT_DOUBLE_EQUAL(fourth / n, 3, 0.3);
}

/* A rank's two runs of tokens, on three threads, are those of the whole on one. */
static void tensors_are_positional(void) {
  static float all[TOKENS * WIDTH], part[300 * WIDTH], other[TOKENS * WIDTH];
  const sr_span span = {0, TOKENS}, two[] = {{10, 100}, {700, 200}};
  const sr_rows rows = {.count = TOKENS, .n_spans = 1, .span = &span}, some = {.count = 300, .n_spans = 2, .span = two};
  CU_ASSERT_EQUAL(sr_normal_fill(SR_F32, 7, &rows, WIDTH, 1, all), SR_OK);
  CU_ASSERT_EQUAL(sr_normal_fill(SR_F32, 7, &some, WIDTH, 3, part), SR_OK);
  CU_ASSERT_EQUAL(sr_normal_fill(SR_F32, 8, &rows, WIDTH, 1, other), SR_OK);
  CU_ASSERT(!memcmp(part, all + 10 * WIDTH, 100 * WIDTH * sizeof(float)));
  CU_ASSERT(!memcmp(part + 100 * WIDTH, all + 700 * WIDTH, 200 * WIDTH * sizeof(float)));
  CU_ASSERT(memcmp(all, other, sizeof all) != 0);
}

static void peaks(void) {
  CU_ASSERT(sr_peak_run("portable", SR_F32, 100) >= 2 * 100);
  CU_ASSERT_EQUAL(sr_peak_run("portable", SR_F32, 100), 2 * sr_peak_run("portable", SR_F64, 100));
  CU_ASSERT_EQUAL(sr_peak_run("mmx", SR_F32, 100), 0);
  char memory[1001] = {0};
  for (uint64_t bytes = 0; bytes <= sizeof memory; bytes += 7) /* a sanitizer sees a step too far */
    CU_ASSERT_EQUAL(sr_peak_read("portable", memory, bytes), bytes);
}

int main(void) {
  return run_suite("bench", (const test_case[]){{"items of lists", items},
                                                {"refused items", refused_items},
                                                {"lists", lists},
                                                {"combinations", combinations},
                                                {"medians", medians},
                                                {"tensors are normal", tensors_are_normal},
                                                {"tensors depend on positions alone", tensors_are_positional},
                                                {"peaks", peaks},
                                                {0}});
}
