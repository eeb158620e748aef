/* The weights of one layer, found by their names. */
#ifndef SR_MODEL_LAYER_H
#define SR_MODEL_LAYER_H

#include "parts.h"
#include "store.h"

/* A product of a matrix, and its bias or NULL. */
typedef struct sr_product {
  const sr_matrix *weight;
  const float *bias;
} sr_product;

/* To the own tokens, or to those of another stack. Weights are NULL where there is no such part. */
typedef struct sr_attention {
  sr_norm norm, query_norm, key_norm;
  sr_product query, key, value, output;
} sr_attention;

typedef struct sr_layer {
  sr_attention own, cross;
  sr_norm inner_norm;
  sr_product gate, up, down; /* gate: weight NULL where there is none */
} sr_layer;

/* A part of a stack, by its name in it, as "final_norm" or "12.query"; with weight NULL where the model has none. */
sr_product sr_find_product(const sr_store *store, const char *stack, const char *part);
sr_norm sr_find_norm(const sr_store *store, const char *name, const sr_stack *stack, const char *part);

void sr_layer_find(const sr_store *store, const char *name, const sr_stack *stack, int64_t number, sr_layer *layer);

#endif
