#include "stack_run.h"

#include <inttypes.h>
#include <omp.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rows.h"
#include "comm/comm.h"

enum { BLOCK = SR_STACK_BLOCK };

static sr_status make_blocks(sr_stack_run *run) {
  run->block = calloc((size_t)(run->rows.count / BLOCK + run->rows.n_spans + 1), sizeof *run->block);
  if (!run->block) return sr_fail(SR_ERR_RESOURCE, "no memory for blocks of tokens");
  int64_t row = 0;
  for (int i = 0; i < run->rows.n_spans; i++) {
    const sr_span span = run->rows.span[i];
    for (int64_t at = 0; at < span.count; at += BLOCK) {
      const int64_t n = span.count - at < BLOCK ? span.count - at : BLOCK;
      run->block[run->n_blocks++] = (sr_stack_block){row, span.start + at, n};
      row += n;
    }
  }
  return SR_OK;
}

static float *lay_floats(sr_layout *layout, int64_t n) {
  return sr_layout_take(layout, (uint64_t)n * sizeof(float));
}

/* Lays out all memory. */
static void lay_out(sr_stack_run *run, sr_layout *layout) {
  const sr_stack *s = run->stack;
  const int64_t rows = run->rows.count, q = s->heads * s->head_width, width = sr_stack_kv_width(run);
  const int64_t kv = run->kept * run->kv_rows * width;
  const int64_t cross = run->source ? s->layers * run->source->rows.count * width : 0;
  run->hidden = lay_floats(layout, rows * s->width);
  run->q = lay_floats(layout, rows * q);
  run->q_sinks = run->far ? lay_floats(layout, rows * q) : NULL;
  run->k = lay_floats(layout, kv);
  run->v = lay_floats(layout, kv);
  run->cross_k = lay_floats(layout, cross);
  run->cross_v = lay_floats(layout, cross);
  run->cross_q = lay_floats(layout, s->cross_attention ? rows * q : 0);
  run->o = lay_floats(layout, rows * q);
  run->lse = lay_floats(layout, rows * s->heads);
  run->cosine = lay_floats(layout, rows * s->rotary_width / 2);
  run->sine = lay_floats(layout, rows * s->rotary_width / 2);
  run->furthest = lay_floats(layout, run->far ? s->rotary_width : 0);
  run->scratch = lay_floats(layout, run->threads * run->scratch_floats);
}

/* Bytes of all memory, for the rows and with the weights that the run has. */
static uint64_t measure(sr_stack_run *run) {
  run->scratch_floats = sr_stack_scratch(run);
  sr_layout layout = {0};
  lay_out(run, &layout);
  return layout.used;
}

static sr_status allocate(sr_stack_run *run) {
  SR_TRY(make_blocks(run));
  const uint64_t bytes = measure(run);
  run->memory = sr_alloc(bytes);
  if (!run->memory) return sr_fail(SR_ERR_RESOURCE, "no memory for activations of %.2f GiB", (double)bytes / 0x1p30);
  lay_out(run, &(sr_layout){.memory = run->memory});
  return SR_OK;
}

static sr_status find_weights(sr_stack_run *run, const sr_store *store, const char *name) {
  const sr_stack *s = run->stack;
  run->layer = calloc((size_t)s->layers, sizeof *run->layer);
  if (!run->layer) return sr_fail(SR_ERR_RESOURCE, "no memory for %" PRId64 " layers", s->layers);
  for (int64_t i = 0; i < s->layers; i++) sr_layer_find(store, name, s, i, &run->layer[i]);
  run->embedding = sr_find_product(store, name, "embedding");
  run->positions = sr_find_product(store, name, "positions");
  run->segments = sr_find_product(store, name, "segments");
  run->embedding_norm = sr_find_norm(store, name, s, "embedding_norm");
  run->final_norm = sr_find_norm(store, name, s, "final_norm");
  run->head = sr_find_product(store, name, "head");
  if (s->head == SR_HEAD_TIED) run->head.weight = run->embedding.weight;
  const sr_product factors = sr_find_product(store, name, "rotary_factors");
  run->rotary_factors = factors.weight ? factors.weight->elements : NULL;
  return SR_OK;
}

static void find_angles(sr_stack_run *run) {
  if (run->stack->positions != SR_POSITIONS_ROTARY) return;
#pragma omp parallel for num_threads(run->threads)
  for (int64_t i = 0; i < run->n_blocks; i++) sr_stack_angles(run, &run->block[i]);
  if (run->far) sr_stack_furthest_angles(run);
}

/* Rows must stay where they are when a sequence grows, and be those of the attention to a source, on either side of it:
 * then nothing is left to choose. */
static sr_balance balance_of(const sr_stack_run *run) {
  const bool crossed = run->stack->cross_attention || run->sequence.is_source;
  const bool fixed = run->sequence.room > 0 || crossed;
  const bool plain = crossed || !run->stack->causal || run->sequence.mask.window_left >= 0;
  if (!fixed) return SR_BALANCE_AUTO;
  return plain ? SR_BALANCE_CONTIGUOUS : SR_BALANCE_ZIGZAG;
}

sr_options sr_stack_options(const sr_stack_run *run, int64_t queries, int64_t keys) {
  const sr_stack *s = run->stack;
  sr_options options;
  sr_options_default(&options);
  options.q_len = queries, options.kv_len = keys;
  options.q_heads = s->heads, options.kv_heads = s->kv_heads;
  options.head_dim = options.value_dim = s->head_width;
  options.balance = balance_of(run);
  options.threads = run->threads;
  options.costs = run->costs;
  return options;
}

/* Of the attention to the own tokens. */
static sr_options own_options(const sr_stack_run *run) {
  const sr_sequence *sequence = &run->sequence;
  sr_options options = sr_stack_options(run, sequence->tokens, sequence->tokens);
  options.mask = sequence->mask;
  options.mask.causal = run->stack->causal;
  options.mask.q_start = 0;
  options.same_rows = true;
  options.q_room = options.kv_room = sequence->room;
  options.sink_queries = run->far;
  options.slopes = run->slopes;
  return options;
}

/* And to all those of the source. */
static sr_options cross_options(const sr_stack_run *run) {
  sr_options options = sr_stack_options(run, run->sequence.tokens, run->source->sequence.tokens);
  options.same_rows = true;
  options.q_room = run->sequence.room;
  return options;
}

/* Rows of keys and values: those of what the sequence will grow to, dealt as the plans that it then has deal them. */
static sr_status find_kv_rows(MPI_Comm comm, int64_t rows, sr_stack_run *run) {
  sr_plan_info info;
  run->kept = 1, run->kv_rows = rows;
  if (run->sequence.room == 0) return SR_OK;
  const sr_options grown = sr_stack_options(run, 1, run->sequence.room);
  SR_TRY(sr_plan_estimate(comm, &grown, &info));
  run->kept = run->stack->layers, run->kv_rows = info.kv_rows;
  return SR_OK;
}

/* Tokens of the longest document that the sequence has, or will have. */
static int64_t longest(const sr_sequence *sequence) {
  const int64_t all = sequence->room ? sequence->room : sequence->tokens;
  return sr_part_longest(sequence->mask.documents, sequence->mask.n_documents, all);
}

static sr_status check_length(const sr_stack *s, const sr_sequence *sequence) {
  const int64_t most = longest(sequence);
  if (most <= s->context) return SR_OK;
  return sr_fail(SR_ERR_INPUT, "%s of %" PRId64 " tokens, and the model has learned %" PRId64 " positions",
                 sequence->mask.n_documents > 1 ? "a document" : "a text", most, s->context);
}

bool sr_stack_is_far(const sr_stack *s, const sr_sequence *sequence) {
  const sr_mask *mask = &sequence->mask;
  return s->positions == SR_POSITIONS_ROTARY && mask->sinks > 0 && mask->window_left >= 0 && s->context > 0 &&
         longest(sequence) > s->context;
}

static sr_status check(const sr_stack *s, const sr_sequence *sequence) {
  return s->positions == SR_POSITIONS_LEARNED ? check_length(s, sequence) : SR_OK;
}

sr_status sr_stack_fill(sr_stack_run *run, const sr_store *store, const char *name) {
  SR_TRY(sr_matrix_prepare());
  SR_TRY(find_weights(run, store, name));
  SR_TRY(allocate(run));
  find_angles(run);
  return SR_OK;
}

static sr_status find_slopes(sr_stack_run *run) {
  const sr_stack *s = run->stack;
  if (s->positions != SR_POSITIONS_ALIBI) return SR_OK;
  run->slopes = calloc((size_t)s->heads, sizeof *run->slopes);
  if (!run->slopes) return sr_fail(SR_ERR_RESOURCE, "no memory for slopes");
  sr_alibi_slopes(s->heads, run->slopes);
  return SR_OK;
}

static sr_stack_run run_of(const sr_stack_spec *spec) {
  return (sr_stack_run){.stack = spec->stack,
                        .sequence = spec->sequence,
                        .threads = spec->threads,
                        .source = spec->source,
                        .costs = spec->costs,
                        .far = sr_stack_is_far(spec->stack, &spec->sequence)};
}

/* Bits must not depend on the rank. */
static sr_status check_matrix_kernels(MPI_Comm comm) {
  bool alike;
  SR_TRY(sr_comm_alike_text(comm, sr_matrix_kernels(), &alike));
  if (alike) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT,
                 "the ranks multiply with different kernels of OpenBLAS: set OPENBLAS_CORETYPE on all of them to one "
                 "that each has, as with mpirun -x OPENBLAS_CORETYPE=Haswell");
}

static sr_status build(MPI_Comm comm, const sr_stack_spec *spec, sr_stack_run *run) {
  SR_TRY(check(run->stack, &run->sequence));
  SR_TRY(sr_agree(comm, find_slopes(run)));
  const sr_options own = own_options(run);
  SR_TRY(sr_plan_create(comm, &own, &run->plan));
  sr_plan_q_rows(run->plan, &run->rows);
  SR_TRY(find_kv_rows(comm, run->rows.count, run));
  if (run->source) {
    const sr_options cross = cross_options(run);
    SR_TRY(sr_plan_create(comm, &cross, &run->cross_plan));
  }
  SR_TRY(sr_agree(comm, sr_stack_fill(run, spec->store, spec->name))); /* before any rank gives up its plan */
  return check_matrix_kernels(comm);
}

sr_status sr_stack_create(MPI_Comm comm, const sr_stack_spec *spec, sr_stack_run **run) {
  *run = calloc(1, sizeof **run);
  SR_TRY(sr_agree_memory(comm, *run, "to run a model"));
  **run = run_of(spec);
  sr_status status = build(comm, spec, *run);
  if (status != SR_OK) sr_stack_destroy(run);
  return status;
}

static sr_status estimate(MPI_Comm comm, const sr_stack_spec *spec, sr_stack_run *run, sr_plan_info *plan,
                          sr_stack_need *need) {
  SR_TRY(check(run->stack, &run->sequence));
  SR_TRY(sr_agree(comm, find_slopes(run)));
  const sr_options options = own_options(run);
  SR_TRY(sr_plan_estimate(comm, &options, plan));
  SR_TRY(find_kv_rows(comm, plan->q_rows, run));
  SR_TRY(sr_agree(comm, find_weights(run, spec->store, spec->name)));
  run->rows.count = plan->q_rows;
  *need = (sr_stack_need){measure(run), plan->workspace, plan->shared, plan->touched};
  return SR_OK;
}

sr_status sr_stack_estimate(MPI_Comm comm, const sr_stack_spec *spec, sr_plan_info *plan, sr_stack_need *need) {
  sr_stack_run run = run_of(spec);
  sr_status status = estimate(comm, spec, &run, plan, need);
  free(run.layer);
  free(run.slopes);
  return status;
}

void sr_stack_destroy(sr_stack_run **run) {
  if (!*run) return;
  sr_plan_destroy(&(*run)->cross_plan);
  sr_plan_destroy(&(*run)->plan);
  sr_free((*run)->memory);
  free((*run)->block);
  free((*run)->layer);
  free((*run)->slopes);
  free(*run);
  *run = NULL;
}

void sr_stack_rows(const sr_stack_run *run, sr_rows *rows) {
  *rows = run->rows;
}

void sr_stack_get(const sr_stack_run *run, sr_stack_state *state) {
  const int64_t layer = run->layers_done - 1;
  *state = (sr_stack_state){run->hidden, run->q, sr_stack_layer_rows(run, run->k, layer),
                            sr_stack_layer_rows(run, run->v, layer)};
}

/* Keys and values of all layers' attention to the source. */
static void read_source(sr_stack_run *run) {
  const sr_stack_run *source = run->source;
  const int64_t n = source ? source->n_blocks * run->stack->layers : 0;
#pragma omp parallel for num_threads(run->threads) schedule(dynamic)
  for (int64_t i = 0; i < n; i++) sr_stack_cross_keys(run, i / source->n_blocks, &source->block[i % source->n_blocks]);
}

void sr_stack_begin(sr_stack_run *run, const int32_t *ids) {
  run->layers_done = 0;
  read_source(run);
#pragma omp parallel for num_threads(run->threads) schedule(dynamic)
  for (int64_t i = 0; i < run->n_blocks; i++) sr_stack_embed(run, ids + run->block[i].token, &run->block[i]);
}

/* Does a part of a layer for all blocks. A single block is not parallel, so that its products may be. */
typedef void part_fn(const sr_stack_run *run, int64_t layer, const sr_stack_block *block);
static void do_blocks(const sr_stack_run *run, int64_t layer, part_fn *part) {
  if (run->n_blocks == 1) {
    part(run, layer, &run->block[0]);
    return;
  }
#pragma omp parallel for num_threads(run->threads) schedule(dynamic)
  for (int64_t i = 0; i < run->n_blocks; i++) part(run, layer, &run->block[i]);
}

static sr_status attend_to_source(sr_stack_run *run, int64_t layer) {
  const int64_t from = layer * run->source->rows.count * sr_stack_kv_width(run);
  const sr_tensors tensors = {
      .q = run->cross_q, .k = run->cross_k + from, .v = run->cross_v + from, .o = run->o, .lse = run->lse};
  do_blocks(run, layer, sr_stack_between);
  return sr_plan_forward(run->cross_plan, &tensors);
}

sr_status sr_stack_finish_layer(sr_stack_run *run, int64_t layer) {
  if (run->source) SR_TRY(attend_to_source(run, layer));
  do_blocks(run, layer, sr_stack_after);
  return SR_OK;
}

static sr_status run_layer(sr_stack_run *run, int64_t layer) {
  const sr_tensors tensors = {.q = run->q,
                              .k = sr_stack_layer_rows(run, run->k, layer),
                              .v = sr_stack_layer_rows(run, run->v, layer),
                              .o = run->o,
                              .lse = run->lse,
                              .q_sinks = run->q_sinks};
  do_blocks(run, layer, sr_stack_before);
  SR_TRY(sr_plan_forward(run->plan, &tensors));
  return sr_stack_finish_layer(run, layer);
}

sr_status sr_stack_layers(sr_stack_run *run, int64_t n) {
  for (; n > 0; n--) SR_TRY(run_layer(run, run->layers_done++));
  return SR_OK;
}

void sr_stack_end(sr_stack_run *run) {
  const sr_stack *s = run->stack;
  if (!s->final_norm) return;
#pragma omp parallel for num_threads(run->threads) schedule(static)
  for (int64_t i = 0; i < run->n_blocks; i++) {
    float *rows = run->hidden + run->block[i].row * s->width;
    sr_norm_rows(&run->final_norm, rows, run->block[i].n, rows);
  }
}

void sr_stack_logprob(sr_stack_run *run, const int32_t *next, float *logprob) {
#pragma omp parallel for num_threads(run->threads) schedule(dynamic)
  for (int64_t i = 0; i < run->n_blocks; i++) sr_stack_block_logprob(run, &run->block[i], next, logprob);
}
