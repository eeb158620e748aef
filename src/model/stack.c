#include "stack.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "layer.h"

/* Tokens that are multiplied together, at multiples of it, so that the products' bits are a block's and not a shard's;
 * and rows of the output matrix at a time. */
enum { BLOCK = 256, HEAD_ROWS = 1024 };

typedef struct block {
  int64_t row, token, n; /* its first row here, and token; its tokens */
} block;

struct sr_stack_run {
  const sr_stack *stack;
  sr_sequence sequence;
  sr_plan *plan;
  sr_rows rows;
  int threads;
  int64_t layers_done;
  int64_t n_blocks;
  block *block;
  sr_layer *layer;
  sr_product embedding, positions, segments, head;
  sr_norm embedding_norm, final_norm;
  char *memory;                        /* of all that follows */
  float *hidden, *q, *k, *v, *o, *lse; /* [rows] */
  float *cosine, *sine;                /* [rows, rotary_width / 2] */
  float *scratch;                      /* [threads, scratch_floats] */
  int64_t scratch_floats;
};

/* Room of one thread: normalised rows, two products of theirs, and a widened panel of a matrix. */
typedef struct room {
  float *x, *a, *b, *panel;
} room;

static int64_t larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t widest(const sr_stack *s) {
  return larger(larger(s->inner_width, s->width), larger(s->heads * s->head_width, HEAD_ROWS));
}

static room room_of(const sr_stack_run *run) {
  float *x = run->scratch + omp_get_thread_num() * run->scratch_floats;
  float *a = x + BLOCK * run->stack->width, *b = a + BLOCK * widest(run->stack);
  return (room){x, a, b, b + BLOCK * widest(run->stack)};
}

/* Scratch for panels of any matrix of the stack. */
static int64_t panel_floats(const sr_stack_run *run) {
  const sr_layer *l = &run->layer[0];
  const sr_matrix *all[] = {l->query.weight, l->output.weight, l->up.weight, l->down.weight, run->head.weight};
  int64_t most = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i]) most = larger(most, sr_matrix_scratch(all[i]));
  return most;
}

static sr_status make_blocks(sr_stack_run *run) {
  run->block = calloc((size_t)(run->rows.count / BLOCK + run->rows.n_spans + 1), sizeof *run->block);
  if (!run->block) return sr_fail(SR_ERR_RESOURCE, "no memory for blocks of tokens");
  int64_t row = 0;
  for (int i = 0; i < run->rows.n_spans; i++) {
    const sr_span span = run->rows.span[i];
    for (int64_t at = 0; at < span.count; at += BLOCK) {
      const int64_t n = span.count - at < BLOCK ? span.count - at : BLOCK;
      run->block[run->n_blocks++] = (block){row, span.start + at, n};
      row += n;
    }
  }
  return SR_OK;
}

static float *carve(char **at, int64_t floats) {
  float *start = (float *)(void *)*at;
  *at += sr_align_up((uint64_t)floats * sizeof(float));
  return start;
}

/* Lays out all memory from `at` on; returns where it ends. */
static char *lay_out(sr_stack_run *run, char *at) {
  const sr_stack *s = run->stack;
  const int64_t rows = run->rows.count, kv = s->kv_heads * s->head_width, q = s->heads * s->head_width;
  run->hidden = carve(&at, rows * s->width);
  run->q = carve(&at, rows * q);
  run->k = carve(&at, rows * kv);
  run->v = carve(&at, rows * kv);
  run->o = carve(&at, rows * q);
  run->lse = carve(&at, rows * s->heads);
  run->cosine = carve(&at, rows * s->rotary_width / 2);
  run->sine = carve(&at, rows * s->rotary_width / 2);
  run->scratch = carve(&at, run->threads * run->scratch_floats);
  return at;
}

/* Bytes of all memory, for the rows and with the weights that the run has. */
static uint64_t measure(sr_stack_run *run) {
  run->scratch_floats = BLOCK * (run->stack->width + 2 * widest(run->stack)) + panel_floats(run);
  return (uint64_t)(uintptr_t)lay_out(run, NULL);
}

static sr_status allocate(sr_stack_run *run) {
  SR_TRY(make_blocks(run));
  const uint64_t bytes = measure(run);
  run->memory = sr_alloc(bytes);
  if (!run->memory) return sr_fail(SR_ERR_RESOURCE, "no memory for activations of %.2f GiB", (double)bytes / 0x1p30);
  lay_out(run, run->memory);
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
  return SR_OK;
}

/* Where the document of a token begins. */
static int64_t begin_of(const sr_sequence *sequence, int64_t token) {
  const sr_mask *mask = &sequence->mask;
  int64_t lo = 0, hi = mask->n_documents;
  while (hi - lo > 1) {
    const int64_t middle = lo + (hi - lo) / 2;
    if (mask->documents[middle] <= token)
      lo = middle;
    else
      hi = middle;
  }
  return hi > 0 ? mask->documents[lo] : 0;
}

static int64_t position_of(const sr_stack_run *run, const block *b, int64_t t) {
  return b->token + t - begin_of(&run->sequence, b->token + t);
}

static void find_angles(sr_stack_run *run, const sr_store *store, const char *name) {
  const sr_stack *s = run->stack;
  if (s->positions != SR_POSITIONS_ROTARY) return;
  const sr_product factors = sr_find_product(store, name, "rotary_factors");
  const float *divisors = factors.weight ? factors.weight->elements : NULL;
  const int64_t half = s->rotary_width / 2;
#pragma omp parallel for num_threads(run->threads)
  for (int64_t i = 0; i < run->n_blocks; i++)
    for (int64_t t = 0; t < run->block[i].n; t++) {
      const int64_t row = run->block[i].row + t;
      sr_rotary_angles((double)position_of(run, &run->block[i], t), s->rotary_base, s->rotary_width, divisors,
                       run->cosine + row * half, run->sine + row * half);
    }
}

static sr_options options_of(const sr_stack_run *run) {
  const sr_stack *s = run->stack;
  sr_options options;
  sr_options_default(&options);
  options.q_len = options.kv_len = run->sequence.tokens;
  options.q_heads = s->heads, options.kv_heads = s->kv_heads;
  options.head_dim = options.value_dim = s->head_width;
  options.mask = run->sequence.mask;
  options.mask.causal = s->causal;
  options.mask.q_start = 0;
  options.same_rows = true;
  options.threads = run->threads;
  return options;
}

static sr_status check_length(const sr_stack *s, const sr_sequence *sequence) {
  const sr_mask *mask = &sequence->mask;
  const int64_t n = mask->n_documents > 0 ? mask->n_documents : 1;
  for (int64_t i = 0; i < n; i++) {
    const int64_t begin = i > 0 ? mask->documents[i] : 0, end = i + 1 < n ? mask->documents[i + 1] : sequence->tokens;
    if (end - begin > s->context)
      return sr_fail(SR_ERR_INPUT, "%s of %" PRId64 " tokens, and the model has learned %" PRId64 " positions",
                     n > 1 ? "a document" : "a text", end - begin, s->context);
  }
  return SR_OK;
}

static sr_status check(const sr_stack *s, const sr_sequence *sequence) {
  if (s->positions == SR_POSITIONS_ALIBI || s->cross_attention || s->query_key_norm)
    return sr_fail(SR_ERR_ARGUMENT, "models with %s are not run yet",
                   s->cross_attention  ? "an encoder and a decoder"
                   : s->query_key_norm ? "normalised queries"
                                       : "ALiBi");
  return s->positions == SR_POSITIONS_LEARNED ? check_length(s, sequence) : SR_OK;
}

static sr_status build(MPI_Comm comm, const sr_store *store, const char *name, sr_stack_run *run) {
  SR_TRY(check(run->stack, &run->sequence));
  SR_TRY(sr_matrix_prepare());
  const sr_options options = options_of(run);
  SR_TRY(sr_plan_create(comm, &options, &run->plan));
  sr_plan_q_rows(run->plan, &run->rows);
  SR_TRY(find_weights(run, store, name));
  return allocate(run);
}

sr_status sr_stack_create(MPI_Comm comm, const sr_store *store, const char *name, const sr_stack *stack,
                          const sr_sequence *sequence, int threads, sr_stack_run **run) {
  *run = calloc(1, sizeof **run);
  sr_status status = *run ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory to run a model");
  if (*run) {
    (*run)->stack = stack;
    (*run)->sequence = *sequence;
    (*run)->threads = threads;
    status = build(comm, store, name, *run);
  }
  if (status == SR_OK)
    find_angles(*run, store, name);
  else
    sr_stack_destroy(run);
  return status;
}

sr_status sr_stack_estimate(MPI_Comm comm, const sr_store *store, const char *name, const sr_stack *stack,
                            const sr_sequence *sequence, int threads, sr_plan_info *plan, sr_stack_need *need) {
  sr_stack_run run = {.stack = stack, .sequence = *sequence, .threads = threads};
  const sr_options options = options_of(&run);
  SR_TRY(check(stack, sequence));
  SR_TRY(sr_plan_estimate(comm, &options, plan));
  sr_status status = find_weights(&run, store, name);
  if (status == SR_OK) {
    run.rows.count = plan->q_rows;
    *need = (sr_stack_need){measure(&run), plan->workspace, plan->shared, plan->touched};
  }
  free(run.layer);
  return status;
}

void sr_stack_destroy(sr_stack_run **run) {
  if (!*run) return;
  sr_plan_destroy(&(*run)->plan);
  sr_free((*run)->memory);
  free((*run)->block);
  free((*run)->layer);
  free(*run);
  *run = NULL;
}

void sr_stack_rows(const sr_stack_run *run, sr_rows *rows) {
  *rows = run->rows;
}

static void add_rows(float *to, const float *from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] += from[i];
}

static void embed(const sr_stack_run *run, const int32_t *ids, const block *b) {
  const sr_stack *s = run->stack;
  const room r = room_of(run);
  for (int64_t t = 0; t < b->n; t++) {
    float *x = run->hidden + (b->row + t) * s->width;
    sr_matrix_rows(run->embedding.weight, ids[b->token + t], 1, x);
    if (s->embedding_scale != 1)
      for (int64_t i = 0; i < s->width; i++) x[i] *= (float)s->embedding_scale;
    if (s->segments > 0) sr_matrix_rows(run->segments.weight, 0, 1, r.x), add_rows(x, r.x, s->width);
    if (s->positions == SR_POSITIONS_LEARNED)
      sr_matrix_rows(run->positions.weight, position_of(run, b, t), 1, r.x), add_rows(x, r.x, s->width);
    if (s->positions == SR_POSITIONS_SINUSOIDAL) sr_sinusoidal_add(position_of(run, b, t), s->width, x);
  }
  float *hidden = run->hidden + b->row * s->width;
  if (s->embedding_norm) sr_norm_rows(&run->embedding_norm, hidden, b->n, hidden);
}

static void multiply(const sr_product *p, const float *x, int64_t n, float *y, float *panel) {
  sr_matrix_multiply(p->weight, 0, p->weight->rows, p->bias, x, n, y, p->weight->rows, panel);
}

/* What a part reads: the hidden rows, normalised where that comes before it. */
static const float *input_of(const sr_stack_run *run, const sr_norm *norm, const block *b, const room *r) {
  const float *hidden = run->hidden + b->row * run->stack->width;
  if (run->stack->norm_place == SR_NORM_AFTER) return hidden;
  sr_norm_rows(norm, hidden, b->n, r->x);
  return r->x;
}

/* Adds what a part made, and normalises the sum where that comes after it. */
static void add_to_hidden(const sr_stack_run *run, const sr_norm *norm, const block *b, const float *made) {
  float *hidden = run->hidden + b->row * run->stack->width;
  add_rows(hidden, made, b->n * run->stack->width);
  if (run->stack->norm_place == SR_NORM_AFTER) sr_norm_rows(norm, hidden, b->n, hidden);
}

static void turn(const sr_stack_run *run, const block *b, int64_t heads, float *x) {
  const sr_stack *s = run->stack;
  const int64_t half = s->rotary_width / 2;
  for (int64_t t = 0; t < b->n && s->positions == SR_POSITIONS_ROTARY; t++)
    sr_rotary_turn(s->rotary_pairs, s->rotary_width, run->cosine + (b->row + t) * half, run->sine + (b->row + t) * half,
                   heads, s->head_width, x + t * heads * s->head_width);
}

static void before_attention(const sr_stack_run *run, const sr_layer *layer, const block *b) {
  const sr_stack *s = run->stack;
  const room r = room_of(run);
  const float *x = input_of(run, &layer->attention_norm, b, &r);
  float *q = run->q + b->row * s->heads * s->head_width, *k = run->k + b->row * s->kv_heads * s->head_width;
  multiply(&layer->query, x, b->n, q, r.panel);
  multiply(&layer->key, x, b->n, k, r.panel);
  multiply(&layer->value, x, b->n, run->v + b->row * s->kv_heads * s->head_width, r.panel);
  turn(run, b, s->heads, q);
  turn(run, b, s->kv_heads, k);
}

static void after_attention(const sr_stack_run *run, const sr_layer *layer, const block *b) {
  const sr_stack *s = run->stack;
  const room r = room_of(run);
  multiply(&layer->output, run->o + b->row * s->heads * s->head_width, b->n, r.a, r.panel);
  add_to_hidden(run, &layer->attention_norm, b, r.a);
  const float *x = input_of(run, &layer->inner_norm, b, &r);
  if (s->gated) multiply(&layer->gate, x, b->n, r.b, r.panel);
  multiply(&layer->up, x, b->n, r.a, r.panel);
  sr_activate(s->activation, s->gated ? r.b : NULL, b->n * s->inner_width, r.a);
  multiply(&layer->down, r.a, b->n, r.b, r.panel);
  add_to_hidden(run, &layer->inner_norm, b, r.b);
}

static sr_status run_layer(sr_stack_run *run, const sr_layer *layer) {
  const sr_tensors tensors = {.q = run->q, .k = run->k, .v = run->v, .o = run->o, .lse = run->lse};
#pragma omp parallel for num_threads(run->threads) schedule(dynamic)
  for (int64_t i = 0; i < run->n_blocks; i++) before_attention(run, layer, &run->block[i]);
  SR_TRY(sr_plan_forward(run->plan, &tensors));
#pragma omp parallel for num_threads(run->threads) schedule(dynamic)
  for (int64_t i = 0; i < run->n_blocks; i++) after_attention(run, layer, &run->block[i]);
  return SR_OK;
}

void sr_stack_begin(sr_stack_run *run, const int32_t *ids) {
  run->layers_done = 0;
#pragma omp parallel for num_threads(run->threads) schedule(dynamic)
  for (int64_t i = 0; i < run->n_blocks; i++) embed(run, ids, &run->block[i]);
}

sr_status sr_stack_layers(sr_stack_run *run, int64_t n) {
  for (; n > 0; n--) SR_TRY(run_layer(run, &run->layer[run->layers_done++]));
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

void sr_stack_get(const sr_stack_run *run, sr_stack_state *state) {
  *state = (sr_stack_state){run->hidden, run->q, run->k, run->v};
}

/* Sum of exponentials of what is seen so far, relative to the largest. */
typedef struct softmax {
  float most, target;
  double sum;
} softmax;

static void see(softmax *s, const float *logit, int64_t n) {
  float most = s->most;
  for (int64_t i = 0; i < n; i++) most = fmaxf(most, logit[i]);
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (double)expf(logit[i] - most);
  s->sum = s->sum * exp((double)s->most - (double)most) + sum;
  s->most = most;
}

static void find_logprob(const sr_stack_run *run, const block *b, const int32_t *next, float *logprob) {
  const int64_t vocabulary = run->stack->vocabulary;
  const room r = room_of(run);
  softmax state[BLOCK];
  for (int64_t t = 0; t < b->n; t++) state[t] = (softmax){-INFINITY, -INFINITY, 0};
  for (int64_t first = 0; first < vocabulary; first += HEAD_ROWS) {
    const int64_t count = vocabulary - first < HEAD_ROWS ? vocabulary - first : HEAD_ROWS;
    sr_matrix_multiply(run->head.weight, first, count, run->head.bias, run->hidden + b->row * run->stack->width, b->n,
                       r.a, HEAD_ROWS, r.panel);
    for (int64_t t = 0; t < b->n; t++) {
      const int64_t target = next[b->row + t] - first;
      if (target >= 0 && target < count) state[t].target = r.a[t * HEAD_ROWS + target];
      see(&state[t], r.a + t * HEAD_ROWS, count);
    }
  }
  for (int64_t t = 0; t < b->n; t++) {
    const double chosen = next[b->row + t] < 0 ? (double)NAN : (double)state[t].target;
    logprob[b->row + t] = (float)(chosen - (double)state[t].most - log(state[t].sum));
  }
}

void sr_stack_logprob(sr_stack_run *run, const int32_t *next, float *logprob) {
#pragma omp parallel for num_threads(run->threads) schedule(dynamic)
  for (int64_t i = 0; i < run->n_blocks; i++) find_logprob(run, &run->block[i], next, logprob);
}
