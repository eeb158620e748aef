/* The inside of a stack's run, for those who make it and go through its layers. */
#ifndef SR_MODEL_STACK_RUN_H
#define SR_MODEL_STACK_RUN_H

#include "layer.h"
#include "stack.h"

/* Tokens that are multiplied together, at multiples of it, so that the products' bits are a block's and not a shard's.
 */
enum { SR_STACK_BLOCK = 256 };

typedef struct sr_stack_block {
  int64_t row, token, n; /* its first row here, and token; its tokens */
} sr_stack_block;

struct sr_stack_run {
  const sr_stack *stack;
  sr_sequence sequence;
  int threads;
  const sr_costs *costs;
  sr_plan *plan, *cross_plan; /* of the own tokens, and to those of source */
  bool far;                   /* sr_stack_is_far */
  double *slopes;             /* [heads] of ALiBi, or NULL */
  sr_rows rows;
  int64_t layers_done;
  int64_t n_blocks;
  sr_stack_block *block;
  sr_layer *layer;
  sr_product embedding, positions, segments, head;
  sr_norm embedding_norm, final_norm;
  const float *rotary_factors; /* or NULL */
  const sr_stack_run *source;
  int64_t kv_rows;             /* rows of k and v: this rank's of all that the sequence will grow to, */
  int64_t kept;                /* and layers that have some of their own: all, or one in turn */
  char *memory;                /* of all that follows */
  float *hidden, *q, *o, *lse; /* [rows] */
  float *q_sinks;              /* as q, where sinks are met at another distance (sr_stack_is_far) */
  float *cross_q;              /* as q, of the attention to a source */
  float *k, *v;                /* [kept, kv_rows] */
  float *cross_k, *cross_v;    /* [layers, rows of source] */
  float *cosine, *sine;        /* [rows, rotary_width / 2] */
  float *furthest;             /* [2, rotary_width / 2] cosine and sine of the last position that was learned */
  float *scratch;              /* [threads, scratch_floats] */
  int64_t scratch_floats;
};

/* Where keys and values of a layer lie. */
static inline int64_t sr_stack_kv_width(const sr_stack_run *run) {
  return run->stack->kv_heads * run->stack->head_width;
}
static inline float *sr_stack_layer_rows(const sr_stack_run *run, float *all, int64_t layer) {
  return all + (run->kept > 1 ? layer : 0) * run->kv_rows * sr_stack_kv_width(run);
}

/* Whether tokens lie so far behind their sinks that the model has not learned that distance: they meet them as the last
 * position that it has learned would (Xiao et al., arXiv:2309.17453, count positions within the window to that end). */
bool sr_stack_is_far(const sr_stack *stack, const sr_sequence *sequence);

/* Floats of scratch of one thread. */
int64_t sr_stack_scratch(const sr_stack_run *run);

/* Cosines and sines of the positions of a block's tokens. */
void sr_stack_angles(sr_stack_run *run, const sr_stack_block *block);

/* And of the last position that the model has learned. */
void sr_stack_furthest_angles(sr_stack_run *run);

/* The parts of a forward that go token by token, for one block: its embeddings, from ids [block->n]; queries, keys and
 * values of a layer, and what follows its attention, up to the queries of its attention to the source where it has
 * that, and what follows that. */
void sr_stack_embed(const sr_stack_run *run, const int32_t *ids, const sr_stack_block *block);
void sr_stack_before(const sr_stack_run *run, int64_t layer, const sr_stack_block *block);
void sr_stack_between(const sr_stack_run *run, int64_t layer, const sr_stack_block *block);
void sr_stack_after(const sr_stack_run *run, int64_t layer, const sr_stack_block *block);

/* Keys and values of a layer's attention to the source, from a block of the source. */
void sr_stack_cross_keys(const sr_stack_run *run, int64_t layer, const sr_stack_block *block);

/* Natural logarithms of the probabilities of next [rows], of a block's rows. */
void sr_stack_block_logprob(const sr_stack_run *run, const sr_stack_block *block, const int32_t *next, float *logprob);

/* All logits [vocabulary] of one row of hidden states, by all threads. */
void sr_stack_row_logits(const sr_stack_run *run, const float *hidden, float *logit);

/* What is left of a layer once its own attention is done: all blocks, and the attention to the source. Collective.
 * Errors: SR_ERR_MPI. */
sr_status sr_stack_finish_layer(sr_stack_run *run, int64_t layer);

/* Options of the plan of a run's tokens, for so many queries and keys. */
sr_options sr_stack_options(const sr_stack_run *run, int64_t queries, int64_t keys);

/* The rest of a run that has its plans: rows, weights, memory. Errors: SR_ERR_RESOURCE. */
sr_status sr_stack_fill(sr_stack_run *run, const sr_store *store, const char *name);

#endif
