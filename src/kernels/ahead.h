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

/* Lines that are left to ask for, piece by piece, and how many of them a step asks for. The last piece is none. */
typedef struct sr_requests {
  const char *at[SR_AHEAD + 1];
  int64_t lines[SR_AHEAD + 1];
  int64_t step;
  int piece;
} sr_requests;

/* Pieces that are asked for in `steps` steps. */
static inline sr_requests sr_requests_of(const sr_ahead ahead[SR_AHEAD], int64_t steps) {
  sr_requests r = {.piece = 0};
  int64_t lines = 0;
  for (int i = 0; i < SR_AHEAD; i++) {
    r.at[i] = ahead[i].from;
    lines += r.lines[i] = (ahead[i].bytes + SR_LINE - 1) / SR_LINE;
  }
  r.step = (lines + steps - 1) / steps;
  return r;
}

/* Asks for lines of the piece at hand. */
static inline void sr_request_lines(sr_requests *r, int64_t lines) {
  const char *at = r->at[r->piece];
  for (int64_t i = 0; i < lines; i++) __builtin_prefetch(at + i * SR_LINE, 0, 2);
  r->at[r->piece] = at + lines * SR_LINE;
  r->lines[r->piece] -= lines;
}

/* A step in which a piece ends, apart from those that most are. */
static __attribute__((noinline, unused)) void sr_request_across(sr_requests *r) {
  int64_t left = r->step;
  while (left > 0 && r->piece < SR_AHEAD) {
    const int64_t lines = left < r->lines[r->piece] ? left : r->lines[r->piece];
    sr_request_lines(r, lines);
    left -= lines;
    if (left > 0) r->piece++;
  }
}

static inline void sr_request_step(sr_requests *r) {
  if (r->step <= r->lines[r->piece])
    sr_request_lines(r, r->step);
  else
    sr_request_across(r);
}

#endif
