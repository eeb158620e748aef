/* The JSON of a model file: description, weights that follow from it, and a tokenizer over tables of its own. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model/description.h"
#include "model/tokenizer.h"

enum { TOKENS = 300, MERGES = 20 };

/* Bytes, and two of them each. */
static bool make_tables(sr_vocabulary *v) {
  v->n = TOKENS, v->n_merges = MERGES;
  v->bytes = malloc(2 * TOKENS);
  v->start = calloc(TOKENS + 1, sizeof *v->start);
  v->token = calloc(TOKENS, 1);
  v->merge = calloc(MERGES, sizeof *v->merge);
  if (!v->bytes || !v->start || !v->token || !v->merge) return false;
  for (int i = 0; i < TOKENS; i++) {
    const int length = i < 256 ? 1 : 2;
    memset(v->bytes + v->start[i], i % 256, (size_t)length);
    v->start[i + 1] = v->start[i] + length;
  }
  for (int i = 0; i < MERGES; i++) v->merge[i][0] = v->merge[i][1] = i;
  return true;
}

static void read_vocabulary(const json_t *json) {
  sr_vocabulary v = {0};
  sr_tokenizer *tokenizer;
  if (make_tables(&v) && sr_vocabulary_from_json("fuzz", json, &v) == SR_OK) {
    sr_tokenizer_create("fuzz", &v, &tokenizer);
    sr_tokenizer_destroy(&tokenizer);
  }
  sr_vocabulary_free(&v);
}

static void read_description(const json_t *json) {
  sr_description description;
  sr_weight_shape *weight = NULL;
  int64_t n;
  if (sr_description_from_json("fuzz", json, &description)) return;
  json_decref(sr_description_to_json(&description));
  if (description.encoder.layers + description.decoder.layers < 100) sr_description_weights(&description, &weight, &n);
  free(weight);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  json_t *json = json_loadb((const char *)data, size, 0, NULL);
  read_description(json_object_get(json, "description"));
  read_vocabulary(json_object_get(json, "tokenizer"));
  json_decref(json);
  return 0;
}
