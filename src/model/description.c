#include "description.h"

#include <inttypes.h>
#include <seqring/types.h>

#include "base/error.h"
#include "fields.h"

static const char *const positions[] = {"none", "learned", "sinusoidal", "rotary", "alibi", NULL};
static const char *const pairs[] = {"interleaved", "halves", NULL};
static const char *const norms[] = {"rms", "layer", NULL};
static const char *const places[] = {"before", "after", NULL};
static const char *const activations[] = {"relu", "gelu", "gelu_tanh", "silu", NULL};
static const char *const heads[] = {"none", "tied", "own", NULL};
static const char *const poolings[] = {"none", "mean", "first", "last", NULL};

static const sr_field stack_fields[] = {
    SR_INTEGER(sr_stack, vocabulary, 1, 1 << 24),
    SR_INTEGER(sr_stack, width, 1, 1 << 20),
    SR_INTEGER(sr_stack, layers, 1, 1 << 16),
    SR_INTEGER(sr_stack, context, 1, 1e15),
    SR_REAL(sr_stack, embedding_scale, 1e-6, 1e6),
    SR_INTEGER(sr_stack, segments, 0, 1 << 20),
    SR_FLAG(sr_stack, embedding_norm),
    SR_CHOICE(sr_stack, positions, positions),
    SR_CHOICE(sr_stack, rotary_pairs, pairs),
    SR_INTEGER(sr_stack, rotary_width, 0, SR_HEAD_DIM_MAX),
    SR_REAL(sr_stack, rotary_base, 1, 1e12),
    SR_FLAG(sr_stack, rotary_factors),
    SR_INTEGER(sr_stack, heads, 1, 1 << 16),
    SR_INTEGER(sr_stack, kv_heads, 1, 1 << 16),
    SR_INTEGER(sr_stack, head_width, 1, SR_HEAD_DIM_MAX),
    SR_FLAG(sr_stack, qkv_bias),
    SR_FLAG(sr_stack, output_bias),
    SR_FLAG(sr_stack, query_key_norm),
    SR_FLAG(sr_stack, causal),
    SR_FLAG(sr_stack, cross_attention),
    SR_CHOICE(sr_stack, norm, norms),
    SR_CHOICE(sr_stack, norm_place, places),
    SR_REAL(sr_stack, epsilon, 0, 1),
    SR_FLAG(sr_stack, final_norm),
    SR_INTEGER(sr_stack, inner_width, 1, 1 << 24),
    SR_CHOICE(sr_stack, activation, activations),
    SR_FLAG(sr_stack, gated),
    SR_FLAG(sr_stack, inner_bias),
    SR_CHOICE(sr_stack, head, heads),
    SR_FLAG(sr_stack, head_bias),
};
enum { STACK_FIELDS = sizeof stack_fields / sizeof *stack_fields };

static const sr_field model_fields[] = {
    SR_CHOICE(sr_description, pooling, poolings),
    SR_FLAG(sr_description, normalised),
};
enum { MODEL_FIELDS = sizeof model_fields / sizeof *model_fields };

static bool add_stack(json_t *json, const char *name, bool there, const sr_stack *stack) {
  if (!there) return true;
  json_t *object = json_object();
  return object && json_object_set_new(json, name, object) == 0 &&
         sr_fields_to_json(stack_fields, STACK_FIELDS, stack, object);
}

json_t *sr_description_to_json(const sr_description *d) {
  json_t *json = json_object();
  if (json && sr_fields_to_json(model_fields, MODEL_FIELDS, d, json) &&
      add_stack(json, "encoder", d->has_encoder, &d->encoder) &&
      add_stack(json, "decoder", d->has_decoder, &d->decoder))
    return json;
  json_decref(json);
  return NULL;
}

static sr_status read_stack(const char *what, const json_t *json, const char *name, bool *there, sr_stack *stack) {
  const json_t *object = json_object_get(json, name);
  *there = object != NULL;
  return object ? sr_fields_from_json(what, name, stack_fields, STACK_FIELDS, object, stack) : SR_OK;
}

sr_status sr_description_from_json(const char *what, const json_t *json, sr_description *d) {
  *d = (sr_description){0};
  SR_TRY(sr_fields_from_json(what, "description", model_fields, MODEL_FIELDS, json, d));
  SR_TRY(read_stack(what, json, "encoder", &d->has_encoder, &d->encoder));
  SR_TRY(read_stack(what, json, "decoder", &d->has_decoder, &d->decoder));
  return sr_description_check(what, d);
}

static sr_status check_stack(const char *what, const char *name, const sr_stack *s) {
  const bool rotary = s->positions == SR_POSITIONS_ROTARY;
  const char *why = NULL;
  SR_TRY(sr_fields_check(what, name, stack_fields, STACK_FIELDS, s));
  if (s->heads % s->kv_heads) why = "heads are no multiple of those of keys and values";
  if (rotary && (s->rotary_width < 2 || s->rotary_width % 2 || s->rotary_width > s->head_width))
    why = "the turned width of a head is not even, or more than the head";
  if (s->rotary_factors && !rotary) why = "frequencies are divided where nothing is turned";
  if (s->positions == SR_POSITIONS_SINUSOIDAL && s->width % 2) why = "sinusoidal positions need an even width";
  if (s->positions == SR_POSITIONS_ALIBI && !s->causal) why = "positions of ALiBi are for causal attention";
  if (s->head_bias && s->head == SR_HEAD_NONE) why = "a bias of an output head that is not there";
  return why ? sr_fail(SR_ERR_INPUT, "%s: %s: %s", what, name, why) : SR_OK;
}

sr_status sr_description_check(const char *what, const sr_description *d) {
  if (!d->has_encoder && !d->has_decoder) return sr_fail(SR_ERR_INPUT, "%s: neither an encoder nor a decoder", what);
  if (d->has_encoder) SR_TRY(check_stack(what, "encoder", &d->encoder));
  if (d->has_decoder) SR_TRY(check_stack(what, "decoder", &d->decoder));
  if (d->has_encoder && d->encoder.cross_attention)
    return sr_fail(SR_ERR_INPUT, "%s: an encoder attends to itself alone", what);
  if (d->has_decoder && d->decoder.cross_attention != d->has_encoder)
    return sr_fail(SR_ERR_INPUT, "%s: a decoder attends to an encoder, and only where there is one", what);
  if (d->has_encoder && d->has_decoder && d->encoder.width != d->decoder.width)
    return sr_fail(SR_ERR_INPUT, "%s: encoder and decoder are of different widths", what);
  return SR_OK;
}

static sr_status check_tokens(const char *what, const char *stack, const sr_stack *s, int64_t tokens) {
  if (tokens <= s->vocabulary) return SR_OK;
  return sr_fail(SR_ERR_INPUT, "%s: its tokenizer has %" PRId64 " tokens, and its %s embeddings of %" PRId64, what,
                 tokens, stack, s->vocabulary);
}

sr_status sr_description_check_tokens(const char *what, const sr_description *d, int64_t tokens,
                                      int64_t source_tokens) {
  if (!d->has_decoder) return check_tokens(what, "encoder", &d->encoder, tokens);
  if (d->has_encoder) SR_TRY(check_tokens(what, "encoder", &d->encoder, source_tokens));
  return check_tokens(what, "decoder", &d->decoder, tokens);
}
