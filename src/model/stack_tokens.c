/* What a stack does token by token, on blocks of rows. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/rows.h"
#include "stack_run.h"

enum { BLOCK = SR_STACK_BLOCK };

/* Rows of the output matrix that are multiplied at a time, and rows of any matrix where there is but one token. */
enum { HEAD_ROWS = 1024, ROW_PART = 64 };

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

/* Floats for panels of any matrix of a layer, each of which may be of a type of its own. */
static int64_t layer_panel_floats(const sr_layer *l) {
  const sr_attention *own = &l->own, *cross = &l->cross;
  const sr_matrix *all[] = {own->query.weight,   own->key.weight,   own->value.weight,   own->output.weight,
                            cross->query.weight, cross->key.weight, cross->value.weight, cross->output.weight,
                            l->gate.weight,      l->up.weight,      l->down.weight};
  int64_t most = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i]) most = larger(most, sr_matrix_scratch(all[i]));
  return most;
}

/* And of any matrix of the stack. */
static int64_t panel_floats(const sr_stack_run *run) {
  int64_t most = run->head.weight ? sr_matrix_scratch(run->head.weight) : 0;
  for (int64_t i = 0; i < run->stack->layers; i++) most = larger(most, layer_panel_floats(&run->layer[i]));
  return most;
}

int64_t sr_stack_scratch(const sr_stack_run *run) {
  return BLOCK * (run->stack->width + 2 * widest(run->stack)) + panel_floats(run);
}

/* Where the document of a token begins. */
static int64_t begin_of(const sr_sequence *sequence, int64_t token) {
  const sr_mask *mask = &sequence->mask;
  return mask->n_documents > 0 ? mask->documents[sr_part_of(mask->documents, mask->n_documents, token)] : 0;
}

static int64_t position_of(const sr_stack_run *run, const sr_stack_block *b, int64_t t) {
  return b->token + t - begin_of(&run->sequence, b->token + t);
}

void sr_stack_angles(sr_stack_run *run, const sr_stack_block *b) {
  const sr_stack *s = run->stack;
  const int64_t half = s->rotary_width / 2;
  for (int64_t t = 0; t < b->n; t++)
    sr_rotary_angles((double)position_of(run, b, t), s->rotary_base, s->rotary_width, run->rotary_factors,
                     run->cosine + (b->row + t) * half, run->sine + (b->row + t) * half);
}

void sr_stack_furthest_angles(sr_stack_run *run) {
  const sr_stack *s = run->stack;
  sr_rotary_angles((double)(s->context - 1), s->rotary_base, s->rotary_width, run->rotary_factors, run->furthest,
                   run->furthest + s->rotary_width / 2);
}

static void add_rows(float *to, const float *from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] += from[i];
}

void sr_stack_embed(const sr_stack_run *run, const int32_t *ids, const sr_stack_block *b) {
  const sr_stack *s = run->stack;
  const room r = room_of(run);
  for (int64_t t = 0; t < b->n; t++) {
    float *x = run->hidden + (b->row + t) * s->width;
    sr_matrix_rows(run->embedding.weight, ids[t], 1, x);
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

/* A single token's product in parts, which threads share unless they are at work on other blocks. */
static void multiply_one(const sr_stack_run *run, const sr_product *p, const float *x, float *y) {
  const int64_t rows = p->weight->rows;
  const bool shared = !omp_in_parallel();
  float *mine = room_of(run).panel;
#pragma omp parallel for num_threads(run->threads) schedule(static) if (shared)
  for (int64_t first = 0; first < rows; first += ROW_PART) {
    const int64_t count = rows - first < ROW_PART ? rows - first : ROW_PART;
    sr_matrix_multiply(p->weight, first, count, p->bias, x, 1, y + first, rows, shared ? room_of(run).panel : mine);
  }
}

static void multiply(const sr_stack_run *run, const sr_product *p, const float *x, int64_t n, float *y) {
  if (n == 1)
    multiply_one(run, p, x, y);
  else
    sr_matrix_multiply(p->weight, 0, p->weight->rows, p->bias, x, n, y, p->weight->rows, room_of(run).panel);
}

/* What a part reads: the hidden rows, normalised where that comes before it. */
static const float *input_of(const sr_stack_run *run, const sr_norm *norm, const sr_stack_block *b, const room *r) {
  const float *hidden = run->hidden + b->row * run->stack->width;
  if (run->stack->norm_place == SR_NORM_AFTER) return hidden;
  sr_norm_rows(norm, hidden, b->n, r->x);
  return r->x;
}

/* Adds what a part made, and normalises the sum where that comes after it. */
static void add_to_hidden(const sr_stack_run *run, const sr_norm *norm, const sr_stack_block *b, const float *made) {
  float *hidden = run->hidden + b->row * run->stack->width;
  add_rows(hidden, made, b->n * run->stack->width);
  if (run->stack->norm_place == SR_NORM_AFTER) sr_norm_rows(norm, hidden, b->n, hidden);
}

static void turn_heads(const sr_stack *s, const float *cosine, const float *sine, int64_t heads, float *x) {
  sr_rotary_turn(s->rotary_pairs, s->rotary_width, cosine, sine, heads, s->head_width, x);
}

/* Turns the heads of a block's tokens by their positions. */
static void turn_rows(const sr_stack_run *run, const sr_stack_block *b, int64_t heads, float *x) {
  const sr_stack *s = run->stack;
  const int64_t half = s->rotary_width / 2;
  for (int64_t t = 0; t < b->n && s->positions == SR_POSITIONS_ROTARY; t++)
    turn_heads(s, run->cosine + (b->row + t) * half, run->sine + (b->row + t) * half, heads,
               x + t * heads * s->head_width);
}

/* Queries as they meet sinks: those that the model has not learned so far behind their sinks are turned by the last
 * position that it has learned. */
static void turn_for_sinks(const sr_stack_run *run, const sr_stack_block *b, const float *q) {
  const sr_stack *s = run->stack;
  const int64_t width = s->heads * s->head_width;
  float *to = run->q_sinks + b->row * width;
  memcpy(to, q, (size_t)(b->n * width) * sizeof *to);
  turn_rows(run, b, s->heads, to);
  for (int64_t t = 0; t < b->n; t++) {
    if (position_of(run, b, t) < s->context) continue;
    memcpy(to + t * width, q + t * width, (size_t)width * sizeof *to);
    turn_heads(s, run->furthest, run->furthest + s->rotary_width / 2, s->heads, to + t * width);
  }
}

void sr_stack_before(const sr_stack_run *run, int64_t layer, const sr_stack_block *b) {
  const sr_stack *s = run->stack;
  const sr_attention *part = &run->layer[layer].own;
  const room r = room_of(run);
  const float *x = input_of(run, &part->norm, b, &r);
  float *q = run->q + b->row * s->heads * s->head_width;
  float *k = sr_stack_layer_rows(run, run->k, layer) + b->row * sr_stack_kv_width(run);
  float *v = sr_stack_layer_rows(run, run->v, layer) + b->row * sr_stack_kv_width(run);
  multiply(run, &part->query, x, b->n, q);
  multiply(run, &part->key, x, b->n, k);
  multiply(run, &part->value, x, b->n, v);
  if (s->query_key_norm) sr_norm_rows(&part->query_norm, q, b->n * s->heads, q);
  if (s->query_key_norm) sr_norm_rows(&part->key_norm, k, b->n * s->kv_heads, k);
  if (run->far) turn_for_sinks(run, b, q);
  turn_rows(run, b, s->heads, q);
  turn_rows(run, b, s->kv_heads, k);
}

/* Adds what an attention gave to the hidden rows. */
static void add_attention(const sr_stack_run *run, const sr_attention *part, const sr_stack_block *b) {
  const sr_stack *s = run->stack;
  const room r = room_of(run);
  multiply(run, &part->output, run->o + b->row * s->heads * s->head_width, b->n, r.a);
  add_to_hidden(run, &part->norm, b, r.a);
}

void sr_stack_between(const sr_stack_run *run, int64_t layer, const sr_stack_block *b) {
  const sr_stack *s = run->stack;
  const sr_layer *l = &run->layer[layer];
  const room r = room_of(run);
  add_attention(run, &l->own, b);
  float *q = run->cross_q + b->row * s->heads * s->head_width;
  multiply(run, &l->cross.query, input_of(run, &l->cross.norm, b, &r), b->n, q);
  if (s->query_key_norm) sr_norm_rows(&l->cross.query_norm, q, b->n * s->heads, q);
}

void sr_stack_after(const sr_stack_run *run, int64_t layer, const sr_stack_block *b) {
  const sr_stack *s = run->stack;
  const sr_layer *l = &run->layer[layer];
  const room r = room_of(run);
  add_attention(run, s->cross_attention ? &l->cross : &l->own, b);
  const float *x = input_of(run, &l->inner_norm, b, &r);
  if (s->gated) multiply(run, &l->gate, x, b->n, r.b);
  multiply(run, &l->up, x, b->n, r.a);
  sr_activate(s->activation, s->gated ? r.b : NULL, b->n * s->inner_width, r.a);
  multiply(run, &l->down, r.a, b->n, r.b);
  add_to_hidden(run, &l->inner_norm, b, r.b);
}

void sr_stack_cross_keys(const sr_stack_run *run, int64_t layer, const sr_stack_block *b) {
  const sr_stack *s = run->stack;
  const sr_attention *part = &run->layer[layer].cross;
  const int64_t width = sr_stack_kv_width(run), at = (layer * run->source->rows.count + b->row) * width;
  const float *x = run->source->hidden + b->row * run->source->stack->width;
  multiply(run, &part->key, x, b->n, run->cross_k + at);
  multiply(run, &part->value, x, b->n, run->cross_v + at);
  if (s->query_key_norm) sr_norm_rows(&part->key_norm, run->cross_k + at, b->n * s->kv_heads, run->cross_k + at);
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

void sr_stack_block_logprob(const sr_stack_run *run, const sr_stack_block *b, const int32_t *next, float *logprob) {
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

void sr_stack_row_logits(const sr_stack_run *run, const float *hidden, float *logit) {
  const room r = room_of(run);
  if (run->stack->final_norm) {
    sr_norm_rows(&run->final_norm, hidden, 1, r.x);
    hidden = r.x;
  }
  multiply_one(run, &run->head, hidden, logit);
}
