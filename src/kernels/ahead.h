/* Memory that is needed soon: a kernel asks for it, evenly spread over its work, so that it is in the second-level
 * cache when its time has come. A core waits for few lines at a time: many requests at once would hold up what comes
 * behind them. */
#ifndef SR_KERNELS_AHEAD_H
#define SR_KERNELS_AHEAD_H

#include <stdint.h>

enum { SR_AHEAD = 3, SR_LINE = 64 };

/* A piece of memory; none where bytes is 0. */
typedef struct sr_ahead {
  const char *from;
  int64_t bytes;
} sr_ahead;

/* What is left to ask for, `step` bytes of each piece at a time. */
typedef struct sr_requests {
  const char *at[SR_AHEAD];
  int64_t left[SR_AHEAD], step[SR_AHEAD];
} sr_requests;

/* Pieces that are asked for in `steps` steps. */
static inline sr_requests sr_requests_of(const sr_ahead ahead[SR_AHEAD], int64_t steps) {
  sr_requests r;
  for (int i = 0; i < SR_AHEAD; i++) {
    r.at[i] = ahead[i].from;
    r.left[i] = ahead[i].bytes;
    r.step[i] = (ahead[i].bytes + steps * SR_LINE - 1) / (steps * SR_LINE) * SR_LINE;
  }
  return r;
}

static inline void sr_request_step(sr_requests *r) {
  for (int i = 0; i < SR_AHEAD; i++) {
    if (r->left[i] == 0) continue;
    const int64_t n = r->left[i] < r->step[i] ? r->left[i] : r->step[i];
    for (int64_t at = 0; at < n; at += SR_LINE) __builtin_prefetch(r->at[i] + at, 0, 2);
    r->at[i] += n;
    r->left[i] -= n;
  }
}

#endif
