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

void sr_layer_find(const sr_store *store, const char *name, const sr_stack *stack, int64_t number, sr_layer *layer) {
  const struct {
    const char *part;
    sr_product *product;
  } products[] = {{"query", &layer->query}, {"key", &layer->key}, {"value", &layer->value}, {"output", &layer->output},
                  {"gate", &layer->gate},   {"up", &layer->up},   {"down", &layer->down}};
  const struct {
    const char *part;
    sr_norm *norm;
  } norms[] = {{"attention_norm", &layer->attention_norm},
               {"query_norm", &layer->query_norm},
               {"key_norm", &layer->key_norm},
               {"inner_norm", &layer->inner_norm}};
  char part[64];
  for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
    snprintf(part, sizeof part, "%" PRId64 ".%s", number, products[i].part);
    *products[i].product = sr_find_product(store, name, part);
  }
  for (size_t i = 0; i < sizeof norms / sizeof *norms; i++) {
    snprintf(part, sizeof part, "%" PRId64 ".%s", number, norms[i].part);
    *norms[i].norm = sr_find_norm(store, name, stack, part);
  }
}
