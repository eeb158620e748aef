/* What a run decides before anything is computed. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/rows.h"
#include "comm/comm.h"
#include "costs_file.h"
#include "length.h"
#include "need.h"
#include "report.h"
#include "run_state.h"

bool sr_run_makes(const sr_run_state *r, sr_run_output output) {
  return r->report->outputs & sr_run_bit(output);
}

bool sr_run_predicts(const sr_run_state *r) {
  return sr_run_makes(r, SR_RUN_LOGPROB) || sr_run_makes(r, SR_RUN_SURPRISE);
}

/* Whether one of the outputs is of a layer that is asked for. */
static bool makes_layer(const sr_run_state *r) {
  return sr_run_makes(r, SR_RUN_HIDDEN) || sr_run_makes(r, SR_RUN_Q) || sr_run_makes(r, SR_RUN_K) ||
         sr_run_makes(r, SR_RUN_V);
}

static sr_status check_layer(const sr_run_state *r) {
  const sr_run_job *job = r->job;
  const bool attention = sr_run_makes(r, SR_RUN_Q) || sr_run_makes(r, SR_RUN_K) || sr_run_makes(r, SR_RUN_V);
  if (attention && job->layer < 0)
    return sr_fail(SR_ERR_ARGUMENT, "q, k and v are those of a layer, and none is asked for");
  if (job->layer >= 0 && !makes_layer(r))
    return sr_fail(SR_ERR_ARGUMENT, "a layer is asked for, and none of its outputs: hidden, q, k or v");
  if (job->layer >= r->stack->layers)
    return sr_fail(SR_ERR_ARGUMENT, "%s: layer %" PRId64 " is asked for, and the last of its layers is %" PRId64,
                   job->model, job->layer, r->stack->layers - 1);
  return SR_OK;
}

static sr_status check_units(const sr_run_state *r) {
  const bool asked_for =
      sr_run_makes(r, SR_RUN_EMBEDDING) || sr_run_makes(r, SR_RUN_UNITS) || sr_run_makes(r, SR_RUN_SURPRISE);
  if (r->job->unit != SR_CUT_NEVER && !asked_for)
    return sr_fail(SR_ERR_ARGUMENT, "a unit is asked for, and none of its outputs: embedding, surprise or units");
  if (r->job->unit != SR_CUT_NEVER && r->job->unit < r->job->document)
    return sr_fail(SR_ERR_ARGUMENT, "a unit holds several documents, and must be a part of one");
  if (sr_run_makes(r, SR_RUN_EMBEDDING) && r->saved->description.pooling == SR_POOLING_NONE)
    return sr_fail(SR_ERR_ARGUMENT, "%s: the model does not say how hidden states are pooled: it has no embedding",
                   r->job->model);
  return SR_OK;
}

static sr_status check_top(const sr_run_state *r) {
  const sr_run_job *job = r->job;
  if (*job->questions && (job->top == 0 || !sr_run_makes(r, SR_RUN_EMBEDDING)))
    return sr_fail(SR_ERR_ARGUMENT, "questions want the output embedding, and a number of units to report");
  if (job->top > 0 && !*job->questions && !sr_run_makes(r, SR_RUN_SURPRISE))
    return sr_fail(SR_ERR_ARGUMENT, "the most surprising units are asked for, and not the output surprise");
  return SR_OK;
}

static bool has_bounded_context(const sr_run_state *r) {
  return r->stack->positions == SR_POSITIONS_LEARNED && !r->stack->causal;
}

static sr_status check_overlap(const sr_run_state *r) {
  if (r->job->overlap < 0 || (has_bounded_context(r) && !sr_run_predicts(r))) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "%s: overlapping chunks are for encoders that have learned their positions",
                 r->job->model);
}

sr_status sr_run_choose(sr_run_state *r) {
  int *outputs = &r->report->outputs;
  const bool predicts = r->stack->head != SR_HEAD_NONE;
  *outputs = r->job->outputs;
  if (*outputs == 0)
    *outputs =
        sr_run_bit(SR_RUN_TOKENS) | sr_run_bit(SR_RUN_OFFSETS) | sr_run_bit(predicts ? SR_RUN_LOGPROB : SR_RUN_HIDDEN);
  if (sr_run_predicts(r) && !predicts)
    return sr_fail(SR_ERR_ARGUMENT, "%s: the model predicts no token: it has no logprob and no surprise",
                   r->job->model);
  SR_TRY(check_layer(r));
  SR_TRY(check_units(r));
  SR_TRY(check_overlap(r));
  return check_top(r);
}

/* Cuts what the model has not positions for, where that is wanted. */
static sr_status cut(sr_run_state *r) {
  const bool cuts = r->job->overlap >= 0;
  const int64_t longest = sr_reading_longest(&r->reading), context = r->stack->context;
  if (!cuts && has_bounded_context(r) && !sr_run_predicts(r) && longest > context)
    return sr_fail(SR_ERR_INPUT,
                   "%.200s: a document of %" PRId64 " tokens, and the model has learned %" PRId64
                   " positions: overlapping chunks (--chunk-overlap %" PRId64 ") can be read",
                   r->job->texts, longest, context, context / 8);
  return sr_chunks_make(&r->reading, &r->saved->vocabulary, (sr_chunk_rule){cuts ? context : 0, r->job->overlap},
                        &r->chunks);
}

sr_status sr_run_read(sr_run_state *r) {
  const sr_run_job *job = r->job;
  const sr_reading_request request = {
      .model = job->model, .texts = job->texts, .document = job->document, .unit = job->unit, .limit = job->limit};
  SR_TRY(sr_encoding_read(r->comm, job->model, job->source, r->saved, &r->encoding));
  SR_TRY(sr_questions_read(r->comm, job->model, job->questions, r->saved, &r->questions));
  SR_TRY(sr_reading_make(r->comm, &request, &r->saved->vocabulary, &r->reading));
  if (sr_run_makes(r, SR_RUN_LOGPROB) && r->reading.n < 2)
    return sr_fail(SR_ERR_INPUT, "%.200s: it is one token: there is no next one for logprob", job->texts);
  return sr_agree(r->comm, cut(r));
}

void sr_run_warn_of_length(sr_run_state *r) {
  const int64_t longest = sr_part_longest(r->chunks.documents, r->chunks.n_documents, r->chunks.n);
  sr_length_warn(r->stack, &r->job->mask, longest, &r->job->events, r->rank);
}

sr_stack_spec sr_run_spec(const sr_run_state *r) {
  sr_sequence sequence = {.tokens = r->chunks.n, .mask = r->job->mask};
  sequence.mask.documents = r->chunks.documents;
  sequence.mask.n_documents = r->chunks.n_documents;
  return (sr_stack_spec){.store = &r->store,
                         .name = r->name,
                         .stack = r->stack,
                         .sequence = sequence,
                         .threads = r->fit.placement.threads,
                         .source = r->encoding.run,
                         .costs = r->costs};
}

/* Bytes of what this rank keeps of the text and of its results besides the layers' activations. */
static uint64_t text_bytes(const sr_run_state *r, int64_t rows) {
  const int64_t a_token = sizeof *r->reading.id + sizeof *r->reading.offset;
  const int64_t units = r->reading.units.n * 2 * (int64_t)sizeof(int64_t);
  const int64_t a_row = sr_run_predicts(r) ? sizeof *r->next + sizeof *r->logprob : 0;
  const int64_t a_unit = sr_run_makes(r, SR_RUN_EMBEDDING) ? r->stack->width * (int64_t)sizeof(float) : 0;
  const int64_t cut = r->chunks.own_id ? r->chunks.n * (int64_t)sizeof *r->chunks.own_id : 0;
  return (uint64_t)(cut + r->reading.n * a_token + units + rows * a_row + r->reading.units.n * a_unit);
}

static sr_status find_need(sr_run_state *r, sr_need *need) {
  return sr_need_find(r->comm, r->job->texts, r->saved, &r->encoding, &r->questions, sr_run_spec(r), need);
}

/* What the run will take, by the costs of the machine where these decide something. */
static sr_status find_need_here(sr_run_state *r, sr_need *need) {
  const char *machine = r->job->machine;
  SR_TRY(find_need(r, need));
  double seconds = need->plan.seconds * (double)r->stack->layers;
  SR_TRY(sr_comm_max(r->comm, &seconds, 1));
  if ((r->report->ranks == 1 || seconds < sr_costs_worth_s) && !*machine) return SR_OK;
  SR_TRY(sr_costs_find(r->comm, machine, r->fit.placement.threads, &r->measured));
  r->costs = &r->measured;
  return find_need(r, need);
}

/* What the run will take of memory. */
sr_status sr_run_estimate(sr_run_state *r) {
  sr_run_report *report = r->report;
  sr_need need;
  SR_TRY(find_need_here(r, &need));
  const sr_stack_need *stack = &need.stack;
  report->plan = need.plan;
  report->weights = need.weights;
  const uint64_t text = text_bytes(r, need.plan.q_rows);
  SR_TRY(sr_spread_find(r->comm, (double)text, &report->text));
  SR_TRY(sr_spread_find(r->comm, (double)stack->activations + need.encoding + need.questions, &report->activations));
  SR_TRY(sr_spread_find(r->comm, (double)stack->attention, &report->attention));
  SR_TRY(sr_spread_find(r->comm, (double)stack->shared, &report->shared));
  r->own_bytes = (double)(text + stack->activations + stack->attention) + need.encoding + need.questions;
  r->shared_bytes = (double)(stack->shared + need.weights);
  const uint64_t all = text + stack->activations + stack->attention + stack->touched + need.weights;
  return sr_spread_find(r->comm, (double)all + need.encoding + need.questions, &report->memory);
}

/* Refuses what does not fit. */
sr_status sr_run_check_memory(const sr_run_state *r) {
  return sr_fit_memory(r->comm, &r->fit, r->own_bytes, r->shared_bytes, r->job->model);
}
