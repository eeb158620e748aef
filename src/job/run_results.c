/* What becomes of a run: its output, and units that are reported. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/rows.h"
#include "comm/comm.h"
#include "pieces.h"
#include "result.h"
#include "run_state.h"

sr_status sr_run_create_output(sr_run_state *r) {
  const sr_stack *s = r->stack;
  sr_output_dataset dataset[SR_RUN_OUTPUTS];
  const sr_run_shape shape = {r->reading.n, r->reading.units.n, s->width, s->heads, s->kv_heads, s->head_width};
  const int n = sr_run_datasets(r->report->outputs, &shape, dataset, r->place);
  const sr_output_spec spec = {.path = r->job->output, .input = r->job->model, .n_datasets = n, .dataset = dataset};
  return sr_result_create(r->comm, spec, &r->job->events, &r->output);
}

static sr_status write_piece(void *data, int dataset, const sr_rows *rows, void *at) {
  return sr_output_write(data, dataset, rows, at);
}

/* This rank's rows of an output that has one a token; nothing where it is not asked for. */
static sr_status write_rows(sr_run_state *r, sr_run_output output, const float *from, int64_t columns) {
  const sr_piece_work work = {write_piece, r->output, r->place[output], (uint64_t)columns * sizeof(float), 1};
  int64_t most = r->n_held;
  if (!sr_run_makes(r, output)) return SR_OK;
  SR_TRY(sr_comm_max_i64(r->comm, &most, 1));
  for (int64_t i = 0; i < most; i++) {
    const sr_held none = {0}, *held = i < r->n_held ? &r->held[i] : &none;
    const sr_rows rows = {held->tokens.count, 1, &held->tokens};
    SR_TRY(sr_pieces(r->comm, &rows, (void *)(from + held->row * columns), &work, &r->write_s));
  }
  return SR_OK;
}

sr_status sr_run_write_layer(sr_run_state *r) {
  const sr_stack *s = r->stack;
  sr_stack_state state;
  sr_stack_get(r->layers, &state);
  SR_TRY(write_rows(r, SR_RUN_Q, state.q, s->heads * s->head_width));
  SR_TRY(write_rows(r, SR_RUN_K, state.k, s->kv_heads * s->head_width));
  SR_TRY(write_rows(r, SR_RUN_V, state.v, s->kv_heads * s->head_width));
  return write_rows(r, SR_RUN_HIDDEN, state.hidden, s->width);
}

/* Rows of a table that all ranks have: each writes those of its tokens. */
static sr_status write_table(sr_run_state *r, sr_run_output output, const void *table, uint64_t row_bytes) {
  for (int64_t i = 0; sr_run_makes(r, output) && i < r->n_held; i++) {
    const sr_span span = r->held[i].tokens;
    SR_TRY(sr_output_write(r->output, r->place[output], &(sr_rows){span.count, 1, &span},
                           (const char *)table + (uint64_t)span.start * row_bytes));
  }
  return SR_OK;
}

/* All rows but the text's last token, which has no next one. */
static sr_status write_logprob(sr_run_state *r) {
  for (int64_t i = 0; sr_run_makes(r, SR_RUN_LOGPROB) && i < r->n_held; i++) {
    sr_span span = r->held[i].tokens;
    const float *from = r->logprob + r->held[i].row;
    if (span.start + span.count == r->reading.n) span.count--;
    if (span.count > 0)
      SR_TRY(sr_output_write(r->output, r->place[SR_RUN_LOGPROB], &(sr_rows){span.count, 1, &span}, from));
  }
  return SR_OK;
}

/* Units that begin on this rank, in runs of neighbours. */
static sr_status write_pooled(sr_run_state *r, sr_run_output output, const sr_pooled *pooled, int64_t width) {
  const sr_numbers *unit = &pooled->unit;
  for (int64_t i = 0, n; sr_run_makes(r, output) && i < unit->n; i += n) {
    for (n = 1; i + n < unit->n && unit->number[i + n] == unit->number[i] + n;) n++;
    const sr_span span = {unit->number[i], n};
    SR_TRY(sr_output_write(r->output, r->place[output], &(sr_rows){n, 1, &span}, pooled->values + i * width));
  }
  return SR_OK;
}

/* Rank 0 has no more to do than the others. */
static sr_status write_units(sr_run_state *r) {
  const sr_span all = {0, r->reading.units.n};
  if (!sr_run_makes(r, SR_RUN_UNITS) || r->rank > 0) return SR_OK;
  return sr_output_write(r->output, r->place[SR_RUN_UNITS], &(sr_rows){all.count, 1, &all},
                         r->reading.unit_offsets.number);
}

sr_status sr_run_write_results(sr_run_state *r) {
  const double start = sr_now();
  sr_status status = write_table(r, SR_RUN_TOKENS, r->reading.id, sizeof *r->reading.id);
  if (status == SR_OK) status = write_table(r, SR_RUN_OFFSETS, r->reading.offset, sizeof *r->reading.offset);
  if (status == SR_OK) status = write_logprob(r);
  if (status == SR_OK) status = write_pooled(r, SR_RUN_EMBEDDING, &r->embedding, r->stack->width);
  if (status == SR_OK) status = write_pooled(r, SR_RUN_SURPRISE, &r->surprise, 1);
  if (status == SR_OK) status = write_units(r);
  r->write_s += sr_now() - start;
  return sr_agree(r->comm, status);
}

/* Room for so many lists of units that are reported. */
static sr_status make_lists(sr_run_state *r, int64_t lists) {
  sr_run_report *report = r->report;
  report->top = calloc((size_t)(lists * r->job->top) + 1, sizeof *report->top);
  report->question = calloc((size_t)lists + 1, sizeof *report->question);
  return sr_agree_memory(r->comm, report->top && report->question, "for what is reported");
}

static sr_status find_surprising(sr_run_state *r) {
  SR_TRY(make_lists(r, 1));
  return sr_units_top(r->comm, &r->reading, &r->surprise.unit, r->surprise.values, r->job->top, r->report->top,
                      &r->report->n_top);
}

/* The units nearest to a question; value has room for one of each of this rank's units. */
static sr_status answer(sr_run_state *r, int64_t question, float *value) {
  const sr_questions *questions = &r->questions;
  sr_run_report *report = r->report;
  const sr_numbers *offsets = &questions->reading.unit_offsets;
  sr_run_unit *top = report->top + report->n_top;
  int64_t found;
  sr_questions_compare(questions, question, r->embedding.values, r->embedding.unit.n, value);
  SR_TRY(sr_units_top(r->comm, &r->reading, &r->embedding.unit, value, r->job->top, top, &found));
  for (int64_t i = 0; i < found; i++) top[i].question = question;
  const int64_t from = offsets->number[question];
  report->question[question] = (sr_span){from, sr_part_end(offsets->number, offsets->n, question, INT64_MAX) - from};
  report->n_top += found;
  return SR_OK;
}

static sr_status answer_all(sr_run_state *r) {
  r->report->n_questions = r->questions.reading.units.n;
  SR_TRY(make_lists(r, r->report->n_questions));
  float *value = malloc((size_t)r->embedding.unit.n * sizeof *value + 1);
  sr_status status = sr_agree_memory(r->comm, value != NULL, "for questions");
  for (int64_t i = 0; status == SR_OK && i < r->report->n_questions; i++) status = answer(r, i, value);
  free(value);
  return status;
}

static sr_status answer_questions(sr_run_state *r) {
  SR_TRY(sr_questions_embed(r->comm, r->saved, sr_run_spec(r), &r->questions));
  return answer_all(r);
}

/* What is told of units. */
sr_status sr_run_find_top(sr_run_state *r) {
  if (r->job->top == 0) return SR_OK;
  return *r->job->questions ? answer_questions(r) : find_surprising(r);
}
