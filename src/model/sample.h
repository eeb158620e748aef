/* The choice of a next token. */
#ifndef SR_MODEL_SAMPLE_H
#define SR_MODEL_SAMPLE_H

#include <stdint.h>

#include <seqring/status.h>

/* Among the top_k most probable tokens (0: all), and of these among the most probable ones that together have a
 * probability of top_p or more (Holtzman et al., arXiv:1904.09751), one is drawn by its probability, exp(logit /
 * temperature) over the sum of all; temperature 0: the most probable one. */
typedef struct sr_sampling {
  double temperature, top_p;
  int64_t top_k;
  uint64_t seed;
} sr_sampling;

/* The token that follows, number `step` of a text; of equals the lowest. The same on every machine for the same logits.
 * Errors: SR_ERR_RESOURCE, SR_ERR_NONFINITE where a logit is NaN, or the largest is not finite. */
sr_status sr_sample(const sr_sampling *sampling, const float *logit, int64_t n, uint64_t step, int32_t *token);

#endif
