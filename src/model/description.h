/* What a model is made of, as data: one or two stacks of layers over one vocabulary of parts. */
#ifndef SR_MODEL_DESCRIPTION_H
#define SR_MODEL_DESCRIPTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <seqring/status.h>

typedef enum sr_positions {
  SR_POSITIONS_NONE,
  SR_POSITIONS_LEARNED,    /* a table, added to the embeddings */
  SR_POSITIONS_SINUSOIDAL, /* sines and cosines, added to them (Vaswani et al. 2017, section 3.5) */
  SR_POSITIONS_ROTARY,     /* queries and keys are turned (Su et al. 2021, section 3.2) */
  SR_POSITIONS_ALIBI       /* scores fall with the distance (Press et al. 2021) */
} sr_positions;

/* Which elements of a head are a pair that is turned together: 2i and 2i + 1, or i and i + half of the width. */
typedef enum sr_pairs { SR_PAIRS_INTERLEAVED, SR_PAIRS_HALVES } sr_pairs;

typedef enum sr_norm_kind { SR_NORM_RMS, SR_NORM_LAYER } sr_norm_kind;

/* Of a part's input, before it, or of the sum with what goes around it, after it. */
typedef enum sr_norm_place { SR_NORM_BEFORE, SR_NORM_AFTER } sr_norm_place;

typedef enum sr_activation {
  SR_ACTIVATION_RELU,
  SR_ACTIVATION_GELU,      /* x Phi(x), by the error function */
  SR_ACTIVATION_GELU_TANH, /* its approximation (Hendrycks and Gimpel 2016) */
  SR_ACTIVATION_SILU       /* x / (1 + exp(-x)) */
} sr_activation;

typedef enum sr_head_kind { SR_HEAD_NONE, SR_HEAD_TIED, SR_HEAD_OWN } sr_head_kind;

typedef enum sr_pooling { SR_POOLING_NONE, SR_POOLING_MEAN, SR_POOLING_FIRST, SR_POOLING_LAST } sr_pooling;

/* A stack of equal layers: attention, attention to another stack where it has that, feed-forward. */
typedef struct sr_stack {
  int64_t vocabulary, width, layers;
  int64_t context; /* positions that it was trained on; of learned ones, that it has */
  double embedding_scale;
  int64_t segments;    /* rows of a table of segments, the first of which is added; 0: none */
  bool embedding_norm; /* the sum of the embeddings is normalised */
  sr_positions positions;
  sr_pairs rotary_pairs;
  int64_t rotary_width; /* elements of a head that are turned */
  double rotary_base;
  bool rotary_factors; /* a weight divides the frequencies */
  int64_t heads, kv_heads, head_width;
  bool qkv_bias, output_bias, query_key_norm, causal;
  bool cross_attention;
  sr_norm_kind norm;
  sr_norm_place norm_place;
  double epsilon;
  bool final_norm;
  int64_t inner_width;
  sr_activation activation;
  bool gated; /* the activation multiplies a second product */
  bool inner_bias;
  sr_head_kind head;
  bool head_bias;
} sr_stack;

/* An encoder, a decoder, or both: then the decoder attends to the encoder. */
typedef struct sr_description {
  bool has_encoder, has_decoder;
  sr_stack encoder, decoder;
  sr_pooling pooling;
  bool normalised; /* what is pooled is divided by its length */
} sr_description;

/* As a JSON object, a new reference; NULL without memory. */
json_t *sr_description_to_json(const sr_description *description);

/* From one that nobody vouches for. what names the file in messages. Errors: SR_ERR_INPUT. */
sr_status sr_description_from_json(const char *what, const json_t *json, sr_description *description);

/* Whether sizes are possible and fit one another. Errors: SR_ERR_INPUT. */
sr_status sr_description_check(const char *what, const sr_description *description);

/* Whether the embeddings have a row for each of so many tokens of the tokenizer, and of that of the encoder beside a
 * decoder. Errors: SR_ERR_INPUT. */
sr_status sr_description_check_tokens(const char *what, const sr_description *description, int64_t tokens,
                                      int64_t source_tokens);

/* A weight of the model: a matrix [rows, columns], or a vector [columns] with rows 1. */
typedef struct sr_weight_shape {
  char name[64]; /* as "decoder.12.query.weight" */
  int64_t rows, columns;
  bool is_matrix; /* large: may be kept in fewer bits */
} sr_weight_shape;

/* All weights of a described model, in the order in which they are used. The caller frees them. Errors:
 * SR_ERR_RESOURCE. */
sr_status sr_description_weights(const sr_description *description, sr_weight_shape **weight, int64_t *n);

#endif
