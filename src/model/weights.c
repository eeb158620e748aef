/* Which weights a model has. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "description.h"

/* A list that is counted first, with weight NULL, and then filled. */
typedef struct list {
  sr_weight_shape *weight;
  int64_t n;
  const char *stack; /* its name */
  int64_t layer;     /* -1: outside the layers */
} list;

static void add(list *l, const char *part, const char *kind, int64_t rows, int64_t columns) {
  sr_weight_shape *w = l->weight ? &l->weight[l->n] : NULL;
  l->n++;
  if (!w) return;
  *w = (sr_weight_shape){.rows = rows, .columns = columns, .is_matrix = rows > 1};
  char layer[24] = "";
  if (l->layer >= 0) snprintf(layer, sizeof layer, "%" PRId64 ".", l->layer);
  snprintf(w->name, sizeof w->name, "%s.%s%s%s", l->stack, layer, part, kind);
}

/* A product of a matrix, and a bias. */
static void add_product(list *l, const char *part, int64_t rows, int64_t columns, bool bias) {
  add(l, part, ".weight", rows, columns);
  if (bias) add(l, part, ".bias", 1, rows);
}

static void add_norm(list *l, const sr_stack *s, const char *part, int64_t width) {
  add(l, part, ".weight", 1, width);
  if (s->norm == SR_NORM_LAYER) add(l, part, ".bias", 1, width);
}

/* Names of the parts of an attention, to the own tokens or to those of the other stack. */
typedef struct attention_names {
  const char *norm, *query, *key, *value, *query_norm, *key_norm, *output;
} attention_names;
static const attention_names own = {"attention_norm", "query", "key", "value", "query_norm", "key_norm", "output"};
static const attention_names cross = {"cross_norm",       "cross_query",    "cross_key",   "cross_value",
                                      "cross_query_norm", "cross_key_norm", "cross_output"};

static void add_attention(list *l, const sr_stack *s, const attention_names *name) {
  const int64_t q = s->heads * s->head_width, kv = s->kv_heads * s->head_width;
  add_norm(l, s, name->norm, s->width);
  add_product(l, name->query, q, s->width, s->qkv_bias);
  add_product(l, name->key, kv, s->width, s->qkv_bias);
  add_product(l, name->value, kv, s->width, s->qkv_bias);
  if (s->query_key_norm) {
    add_norm(l, s, name->query_norm, s->head_width);
    add_norm(l, s, name->key_norm, s->head_width);
  }
  add_product(l, name->output, s->width, q, s->output_bias);
}

static void add_layer(list *l, const sr_stack *s) {
  add_attention(l, s, &own);
  if (s->cross_attention) add_attention(l, s, &cross);
  add_norm(l, s, "inner_norm", s->width);
  if (s->gated) add_product(l, "gate", s->inner_width, s->width, s->inner_bias);
  add_product(l, "up", s->inner_width, s->width, s->inner_bias);
  add_product(l, "down", s->width, s->inner_width, s->inner_bias);
}

static void add_stack(list *l, const sr_stack *s, const char *name) {
  l->stack = name;
  l->layer = -1;
  add(l, "embedding", ".weight", s->vocabulary, s->width);
  if (s->positions == SR_POSITIONS_LEARNED) add(l, "positions", ".weight", s->context, s->width);
  if (s->segments > 0) add(l, "segments", ".weight", s->segments, s->width);
  if (s->embedding_norm) add_norm(l, s, "embedding_norm", s->width);
  if (s->rotary_factors) add(l, "rotary_factors", ".weight", 1, s->rotary_width / 2);
  for (l->layer = 0; l->layer < s->layers; l->layer++) add_layer(l, s);
  l->layer = -1;
  if (s->final_norm) add_norm(l, s, "final_norm", s->width);
  if (s->head == SR_HEAD_OWN) add(l, "head", ".weight", s->vocabulary, s->width);
  if (s->head_bias) add(l, "head", ".bias", 1, s->vocabulary);
}

static void add_all(list *l, const sr_description *d) {
  l->n = 0;
  if (d->has_encoder) add_stack(l, &d->encoder, "encoder");
  if (d->has_decoder) add_stack(l, &d->decoder, "decoder");
}

sr_status sr_description_weights(const sr_description *description, sr_weight_shape **weight, int64_t *n) {
  list all = {0};
  add_all(&all, description);
  *weight = all.weight = calloc((size_t)all.n, sizeof *all.weight);
  if (!all.weight) return sr_fail(SR_ERR_RESOURCE, "no memory for a model's %" PRId64 " weights", all.n);
  add_all(&all, description);
  *n = all.n;
  return SR_OK;
}
