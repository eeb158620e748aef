#include "decoding.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rows.h"
#include "comm/comm.h"
#include "stack_run.h"

struct sr_decoding {
  MPI_Comm comm;
  int rank;
  sr_stack_run *text; /* which keeps keys and values */
  sr_stack_run *step; /* of one token, on rank 0; the others have no rows */
  sr_rows kept;       /* this rank's of all tokens that there is room for */
  int64_t n;          /* tokens so far */
  float *row;         /* [2, kv_width] key and value of the token at hand */
  float *last;        /* [width] hidden state of the last token */
};

/* Options of the plan of one token among all that there is room for. */
static sr_options step_options(const sr_stack_run *text) {
  sr_options options = sr_stack_options(text, 1, text->sequence.room);
  options.mask = text->sequence.mask;
  options.mask.documents = NULL, options.mask.n_documents = 0;
  options.mask.causal = true;
  options.mask.q_start = 0;
  options.sink_queries = text->far;
  options.slopes = text->slopes;
  return options;
}

static sr_status make_plans(sr_decoding *d, sr_stack_run *step) {
  const sr_stack_run *text = d->text;
  const sr_options own = step_options(text);
  SR_TRY(sr_plan_create(d->comm, &own, &step->plan));
  sr_plan_q_rows(step->plan, &step->rows);
  sr_plan_kv_rows(step->plan, &d->kept);
  if (!text->source) return SR_OK;
  const sr_options cross = sr_stack_options(text, 1, text->source->sequence.tokens);
  return sr_plan_create(d->comm, &cross, &step->cross_plan);
}

/* A run of one token, beside that of the text. */
static sr_status make_step(sr_decoding *d, const sr_stack_spec *spec) {
  sr_stack_run *step = d->step = calloc(1, sizeof *step);
  SR_TRY(sr_agree_memory(d->comm, step, "to go on after a text"));
  *step = (sr_stack_run){.stack = spec->stack, .threads = spec->threads, .kept = 1, .far = d->text->far};
  SR_TRY(make_plans(d, step));
  step->kv_rows = step->rows.count;
  SR_TRY(sr_agree(d->comm, sr_stack_fill(step, spec->store, spec->name))); /* before any rank gives up its plan */
  step->source = d->text->source;
  step->cross_k = d->text->cross_k, step->cross_v = d->text->cross_v;
  d->row = calloc((size_t)(2 * sr_stack_kv_width(step)), sizeof *d->row);
  d->last = calloc((size_t)spec->stack->width, sizeof *d->last);
  return sr_agree_memory(d->comm, d->row && d->last, "to go on after a text");
}

sr_status sr_decoding_create(MPI_Comm comm, const sr_stack_spec *spec, sr_decoding **decoding) {
  sr_decoding *d = *decoding = calloc(1, sizeof *d);
  SR_TRY(sr_agree_memory(comm, d, "to go on after a text"));
  d->comm = comm;
  sr_status status = sr_comm_rank(comm, &d->rank);
  if (status == SR_OK) status = sr_agree(comm, sr_stack_create(comm, spec, &d->text));
  if (status == SR_OK) status = sr_agree(comm, make_step(d, spec));
  if (status != SR_OK) sr_decoding_destroy(decoding);
  return status;
}

void sr_decoding_destroy(sr_decoding **decoding) {
  sr_decoding *d = *decoding;
  if (!d) return;
  sr_stack_destroy(&d->step);
  sr_stack_destroy(&d->text);
  free(d->row);
  free(d->last);
  free(d);
  *decoding = NULL;
}

/* Brings the hidden state of the text's last token to rank 0: bits that a rank has not are 0. */
static sr_status find_last(sr_decoding *d) {
  const size_t bytes = (size_t)d->text->stack->width * sizeof(float);
  const int64_t row = sr_rows_find(&d->text->rows, d->n - 1);
  memset(d->last, 0, bytes);
  if (row >= 0) memcpy(d->last, d->text->hidden + row * d->text->stack->width, bytes);
  return sr_comm_or(d->comm, d->last, bytes);
}

sr_status sr_decoding_read(sr_decoding *d, const int32_t *ids) {
  sr_stack_begin(d->text, ids);
  SR_TRY(sr_stack_layers(d->text, d->text->stack->layers));
  d->n = d->text->sequence.tokens;
  return find_last(d);
}

/* The token's key and value, from rank 0, join those that are kept. */
static sr_status keep(sr_decoding *d, int64_t layer) {
  const int64_t width = sr_stack_kv_width(d->text), row = sr_rows_find(&d->kept, d->n);
  const size_t bytes = (size_t)width * sizeof(float);
  if (d->rank == 0) {
    memcpy(d->row, d->step->k, bytes);
    memcpy(d->row + width, d->step->v, bytes);
  }
  SR_TRY(sr_comm_bcast(d->comm, d->row, 2 * bytes, 0));
  if (row < 0) return SR_OK;
  memcpy(sr_stack_layer_rows(d->text, d->text->k, layer) + row * width, d->row, bytes);
  memcpy(sr_stack_layer_rows(d->text, d->text->v, layer) + row * width, d->row + width, bytes);
  return SR_OK;
}

static sr_status step_layer(sr_decoding *d, int64_t layer) {
  sr_stack_run *step = d->step;
  const sr_tensors tensors = {.q = step->q,
                              .k = sr_stack_layer_rows(d->text, d->text->k, layer),
                              .v = sr_stack_layer_rows(d->text, d->text->v, layer),
                              .o = step->o,
                              .lse = step->lse,
                              .q_sinks = step->q_sinks};
  if (d->rank == 0) sr_stack_before(step, layer, step->block);
  SR_TRY(keep(d, layer));
  SR_TRY(sr_plan_forward(step->plan, &tensors));
  return sr_stack_finish_layer(step, layer);
}

sr_status sr_decoding_take(sr_decoding *d, int32_t id) {
  sr_stack_run *step = d->step;
  if (d->n == d->text->sequence.room) return sr_fail(SR_ERR_INTERNAL, "no room for another token");
  SR_TRY(sr_plan_move(step->plan, d->n));
  if (d->rank == 0) {
    step->block->token = d->n;
    if (step->stack->positions == SR_POSITIONS_ROTARY) sr_stack_angles(step, step->block);
    sr_stack_embed(step, &id, step->block);
  }
  for (int64_t i = 0; i < step->stack->layers; i++) SR_TRY(step_layer(d, i));
  d->n++;
  if (d->rank == 0) memcpy(d->last, step->hidden, (size_t)step->stack->width * sizeof *d->last);
  return SR_OK;
}

void sr_decoding_logits(const sr_decoding *d, float *logit) {
  sr_stack_row_logits(d->step, d->last, logit);
}
