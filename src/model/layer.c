#include "layer.h"

#include <inttypes.h>
#include <stdio.h>

static const sr_matrix *find(const sr_store *store, const char *stack, const char *part, const char *kind) {
  char name[128];
  snprintf(name, sizeof name, "%s.%s.%s", stack, part, kind);
  return sr_store_find(store, name);
}

static const float *vector(const sr_matrix *matrix) {
  return matrix ? matrix->elements : NULL;
}

sr_product sr_find_product(const sr_store *store, const char *stack, const char *part) {
  return (sr_product){find(store, stack, part, "weight"), vector(find(store, stack, part, "bias"))};
}

sr_norm sr_find_norm(const sr_store *store, const char *name, const sr_stack *stack, const char *part) {
  const sr_matrix *weight = find(store, name, part, "weight");
  return (sr_norm){.kind = stack->norm,
                   .width = weight ? weight->columns : 0,
                   .epsilon = stack->epsilon,
                   .weight = vector(weight),
                   .bias = vector(find(store, name, part, "bias"))};
}

static sr_product product_of(const sr_store *store, const char *name, int64_t number, const char *part) {
  char full[64];
  snprintf(full, sizeof full, "%" PRId64 ".%s", number, part);
  return sr_find_product(store, name, full);
}

static sr_norm norm_of(const sr_store *store, const char *name, const sr_stack *stack, int64_t number,
                       const char *part) {
  char full[64];
  snprintf(full, sizeof full, "%" PRId64 ".%s", number, part);
  return sr_find_norm(store, name, stack, full);
}

void sr_layer_find(const sr_store *store, const char *name, const sr_stack *stack, int64_t number, sr_layer *layer) {
  *layer = (sr_layer){
      .own = {.norm = norm_of(store, name, stack, number, "attention_norm"),
              .query_norm = norm_of(store, name, stack, number, "query_norm"),
              .key_norm = norm_of(store, name, stack, number, "key_norm"),
              .query = product_of(store, name, number, "query"),
              .key = product_of(store, name, number, "key"),
              .value = product_of(store, name, number, "value"),
              .output = product_of(store, name, number, "output")},
      .cross = {.norm = norm_of(store, name, stack, number, "cross_norm"),
                .query_norm = norm_of(store, name, stack, number, "cross_query_norm"),
                .key_norm = norm_of(store, name, stack, number, "cross_key_norm"),
                .query = product_of(store, name, number, "cross_query"),
                .key = product_of(store, name, number, "cross_key"),
                .value = product_of(store, name, number, "cross_value"),
                .output = product_of(store, name, number, "cross_output")},
      .inner_norm = norm_of(store, name, stack, number, "inner_norm"),
      .gate = product_of(store, name, number, "gate"),
      .up = product_of(store, name, number, "up"),
      .down = product_of(store, name, number, "down"),
  };
}
