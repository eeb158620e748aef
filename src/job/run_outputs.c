#include "run_outputs.h"

#include <stddef.h>

/* A length of the shape. */
#define OF(member) offsetof(sr_run_shape, member)
enum { PREDICTIONS = -1 };

typedef struct row {
  const char *name, *long_name, *units;
  sr_dtype dtype;
  int rank;
  int dim[SR_OUTPUT_RANK_MAX]; /* OF some length, or PREDICTIONS */
  const char *dimension[SR_OUTPUT_RANK_MAX];
} row;

static const row table[SR_RUN_OUTPUTS] = {
    [SR_RUN_TOKENS] = {"tokens", "ids of the text's tokens", "1", SR_I32, 1, {OF(tokens)}, {"token"}},
    [SR_RUN_OFFSETS] = {"offsets", "where each token begins in the text", "byte", SR_I64, 1, {OF(tokens)}, {"token"}},
    [SR_RUN_LOGPROB] = {"logprob",
                        "natural logarithm of the probability of the next token",
                        "1",
                        SR_F32,
                        1,
                        {PREDICTIONS},
                        {"prediction"}},
    [SR_RUN_HIDDEN] = {"hidden", "hidden state", "1", SR_F32, 2, {OF(tokens), OF(width)}, {"token", "width"}},
    [SR_RUN_EMBEDDING] =
        {"embedding", "pooled hidden states", "1", SR_F32, 2, {OF(units), OF(width)}, {"unit", "width"}},
    [SR_RUN_SURPRISE] = {"surprise", "mean of -logprob over the tokens", "nat", SR_F32, 1, {OF(units)}, {"unit"}},
    [SR_RUN_UNITS] = {"units", "where each unit begins in the text", "byte", SR_I64, 1, {OF(units)}, {"unit"}},
    [SR_RUN_Q] =
        {"q", "queries", "1", SR_F32, 3, {OF(tokens), OF(heads), OF(head_width)}, {"token", "head", "head_width"}},
    [SR_RUN_K] =
        {"k", "keys", "1", SR_F32, 3, {OF(tokens), OF(kv_heads), OF(head_width)}, {"token", "kv_head", "head_width"}},
    [SR_RUN_V] =
        {"v", "values", "1", SR_F32, 3, {OF(tokens), OF(kv_heads), OF(head_width)}, {"token", "kv_head", "head_width"}},
};

const char *sr_run_output_name(sr_run_output output) {
  return table[output].name;
}

static int64_t length(const sr_run_shape *shape, int dim) {
  if (dim == PREDICTIONS) return shape->tokens - 1;
  return *(const int64_t *)(const void *)((const char *)shape + dim);
}

int sr_run_datasets(int outputs, const sr_run_shape *shape, sr_output_dataset dataset[SR_RUN_OUTPUTS],
                    int place[SR_RUN_OUTPUTS]) {
  int n = 0;
  for (int i = 0; i < SR_RUN_OUTPUTS; i++) {
    const row *o = &table[i];
    place[i] = outputs & sr_run_bit((sr_run_output)i) ? n : -1;
    if (place[i] < 0) continue;
    dataset[n] = (sr_output_dataset){
        .name = o->name, .long_name = o->long_name, .units = o->units, .dtype = o->dtype, .rank = o->rank};
    for (int d = 0; d < o->rank; d++) {
      dataset[n].dims[d] = length(shape, o->dim[d]);
      dataset[n].dimension[d] = o->dimension[d];
    }
    n++;
  }
  return n;
}
