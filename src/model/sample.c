#include "sample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/random.h"

typedef struct candidate {
  double weight; /* the logit, then the probability but for a factor */
  int32_t token;
} candidate;

static int most_first(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  if (x->weight != y->weight) return x->weight < y->weight ? 1 : -1;
  return x->token < y->token ? -1 : x->token > y->token;
}

static int32_t most_probable(const float *logit, int64_t n) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (logit[i] > logit[best]) best = i;
  return (int32_t)best;
}

/* How many of the sorted candidates top_p leaves. */
static int64_t nucleus(const candidate *c, int64_t n, double top_p) {
  double all = 0, sum = 0;
  for (int64_t i = 0; i < n; i++) all += c[i].weight;
  int64_t kept = 0;
  while (kept < n && sum < top_p * all) sum += c[kept++].weight;
  return kept > 0 ? kept : 1;
}

static int32_t draw(const candidate *c, int64_t n, double random) {
  double all = 0, sum = 0;
  for (int64_t i = 0; i < n; i++) all += c[i].weight;
  for (int64_t i = 0; i < n; i++) {
    sum += c[i].weight;
    if (sum > random * all) return c[i].token;
  }
  return c[n - 1].token;
}

static sr_status check(const float *logit, int64_t n) {
  float most = -INFINITY;
  bool numbers = true;
  for (int64_t i = 0; i < n; i++) numbers &= !isnan(logit[i]), most = fmaxf(most, logit[i]);
  if (numbers && isfinite(most)) return SR_OK;
  return sr_fail(SR_ERR_NONFINITE, "the model gives no probabilities for the next token: NaN or Inf");
}

sr_status sr_sample(const sr_sampling *s, const float *logit, int64_t n, uint64_t step, int32_t *token) {
  SR_TRY(check(logit, n));
  if (s->temperature == 0) {
    *token = most_probable(logit, n);
    return SR_OK;
  }
  candidate *c = malloc((size_t)n * sizeof *c);
  if (!c) return sr_fail(SR_ERR_RESOURCE, "no memory to choose a token");
  for (int64_t i = 0; i < n; i++) c[i] = (candidate){(double)logit[i], (int32_t)i};
  qsort(c, (size_t)n, sizeof *c, most_first);
  int64_t kept = s->top_k > 0 && s->top_k < n ? s->top_k : n;
  const double most = c[0].weight;
  for (int64_t i = 0; i < kept; i++) c[i].weight = exp((c[i].weight - most) / s->temperature);
  kept = nucleus(c, kept, s->top_p);
  *token = draw(c, kept, sr_random_unit(s->seed, step));
  free(c);
  return SR_OK;
}
