/* All ranks at once: what may happen next is a list of events, of which a seed takes one after the other. */
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "replay.h"

/* Keys and values of a team, in memory. */
typedef struct buffer {
  int owner;      /* team whose keys it holds, */
  int64_t tokens; /* so many of them */
  int readers;    /* work and sends under way */
  int writers;    /* receives under way */
} buffer;

enum { BUFFERS = 3 };

typedef struct holder {
  buffer buffer[BUFFERS];
  int64_t written; /* the last step for which a buffer was opened to receive, counted from 1 */
  int busy;        /* members that are in a step still */
} holder;

typedef struct progress {
  int64_t step;
  int pending; /* work and messages of the step */
} progress;

/* One side of a message that is under way. */
typedef struct half {
  int from, to, owner;
  sr_tokens tokens;
  buffer *buffer;
  bool sent; /* without a receive: what it carried has left its buffer */
} half;

/* Messages from one rank to another, in the order in which they were posted: those that still want their other half. */
typedef struct channel {
  half *waiting;
  int64_t n, room;
  bool are_sends;
} channel;

/* What may end next: a rank's work, or a message whose receive is posted. */
typedef struct event {
  int worker; /* -1: a message */
  half send, receive;
} event;

typedef struct world {
  const sr_replay *replay;
  uint64_t random;
  bool eager; /* sends end before their receives are posted */
  holder *holder;
  progress *rank;
  channel *channel; /* [from][to] */
  event *event;
  int64_t n_events, room;
} world;

static uint64_t next_random(world *w) {
  w->random ^= w->random >> 12, w->random ^= w->random << 25, w->random ^= w->random >> 27; /* xorshift64* */
  return w->random * 0x2545f4914f6cdd1d >> 33;
}

static sr_status no_memory(void) {
  return sr_fail(SR_ERR_RESOURCE, "no memory to replay a schedule");
}

static sr_status add_event(world *w, event e) {
  event *events = sr_grow(w->event, w->n_events, &w->room, sizeof e);
  if (!events) return no_memory();
  w->event = events;
  w->event[w->n_events++] = e;
  return SR_OK;
}

static bool same_tokens(sr_tokens a, sr_tokens b) {
  bool same = a.n == b.n;
  for (int64_t i = 0; same && i < a.n; i++)
    same = a.span[i].start == b.span[i].start && a.span[i].count == b.span[i].count;
  return same;
}

/* Pairs a half with the first of the other kind in its channel, or lets it wait there. */
static sr_status post(world *w, half h, bool is_send) {
  channel *c = &w->channel[(int64_t)h.from * w->replay->partition->problem.ranks + h.to];
  if (c->n > 0 && c->are_sends != is_send) {
    const half other = c->waiting[0];
    for (int64_t i = 1; i < c->n; i++) c->waiting[i - 1] = c->waiting[i];
    c->n--;
    if (!same_tokens(h.tokens, other.tokens) || h.owner != other.owner)
      return sr_fail(SR_ERR_INTERNAL, "rank %d sends rank %d other tokens than it waits for", h.from, h.to);
    return add_event(w, (event){.worker = -1, .send = is_send ? h : other, .receive = is_send ? other : h});
  }
  half *waiting = sr_grow(c->waiting, c->n, &c->room, sizeof h);
  if (!waiting) return no_memory();
  c->waiting = waiting;
  c->are_sends = is_send;
  c->waiting[c->n++] = h;
  return SR_OK;
}

static sr_status check_holds(const buffer *b, int owner, sr_tokens layout, int rank) {
  if (b->writers == 0 && b->owner == owner && b->tokens == sr_tokens_count(layout)) return SR_OK;
  return sr_fail(SR_ERR_INTERNAL, "rank %d reads a buffer that does not hold its keys", rank);
}

static sr_status post_sends(world *w, int r, const sr_step *step, int owner) {
  buffer *from = &w->holder[w->replay->partition->holders.of[r]].buffer[step->send.buffer];
  if (step->send.n > 0) SR_TRY(check_holds(from, owner, step->send.layout, r));
  for (int64_t i = 0; i < step->send.n; i++) {
    const sr_message *m = &step->send.message[i];
    half h = {.from = r, .to = m->rank, .owner = owner, .tokens = m->tokens, .buffer = from, .sent = w->eager};
    if (!w->eager) from->readers++, w->rank[r].pending++;
    SR_TRY(post(w, h, true));
  }
  return SR_OK;
}

static sr_status post_receives(world *w, int r, const sr_step *step, int owner) {
  holder *h = &w->holder[w->replay->partition->holders.of[r]];
  buffer *to = &h->buffer[step->receive.buffer];
  if (h->written <= w->rank[r].step && step->receive.layout.n > 0) {
    if (to->readers || to->writers) return sr_fail(SR_ERR_INTERNAL, "rank %d overwrites a buffer in use", r);
    h->written = w->rank[r].step + 1;
    *to = (buffer){.owner = owner};
  }
  for (int64_t i = 0; i < step->receive.n; i++) {
    const sr_message *m = &step->receive.message[i];
    if (to->readers) return sr_fail(SR_ERR_INTERNAL, "rank %d overwrites a buffer in use", r);
    to->writers++, w->rank[r].pending++;
    SR_TRY(post(w, (half){.from = m->rank, .to = r, .owner = owner, .tokens = m->tokens, .buffer = to}, false));
  }
  return SR_OK;
}

/* A rank begins the step that it is at. */
static sr_status begin_step(world *w, int r) {
  const sr_schedule *schedule = &w->replay->rank[r];
  const int64_t s = w->rank[r].step;
  if (s == schedule->n_steps) return SR_OK;
  const sr_step *step = &schedule->step[s];
  holder *h = &w->holder[w->replay->partition->holders.of[r]];
  buffer *b = &h->buffer[step->buffer];
  h->busy++;
  if (step->tokens.n > 0) SR_TRY(check_holds(b, step->owner, step->tokens, r));
  b->readers++, w->rank[r].pending++;
  SR_TRY(add_event(w, (event){.worker = r}));
  SR_TRY(post_sends(w, r, step, h->buffer[step->send.buffer].owner));
  return s + 1 < schedule->n_steps ? post_receives(w, r, step, schedule->step[s + 1].owner) : SR_OK;
}

/* Something of a rank's step has ended. After the last thing of those that share its buffers, all of them go on
 * together. */
static sr_status end_part(world *w, int r) {
  const sr_teams *holders = &w->replay->partition->holders;
  const int h = holders->of[r];
  if (--w->rank[r].pending > 0 || --w->holder[h].busy > 0) return SR_OK;
  for (int i = holders->first[h]; i < holders->first[h + 1]; i++) w->rank[holders->member[i]].step++;
  for (int i = holders->first[h]; i < holders->first[h + 1]; i++) SR_TRY(begin_step(w, holders->member[i]));
  return SR_OK;
}

static sr_status end_event(world *w, event e) {
  if (e.worker >= 0) {
    const int h = w->replay->partition->holders.of[e.worker];
    w->holder[h].buffer[w->replay->rank[e.worker].step[w->rank[e.worker].step].buffer].readers--;
    return end_part(w, e.worker);
  }
  e.receive.buffer->writers--;
  e.receive.buffer->tokens += sr_tokens_count(e.receive.tokens);
  SR_TRY(end_part(w, e.receive.to));
  if (e.send.sent) return SR_OK;
  e.send.buffer->readers--;
  return end_part(w, e.send.from);
}

static sr_status run(world *w) {
  const sr_partition *p = w->replay->partition;
  for (int r = 0; r < p->problem.ranks; r++) {
    const int owner = p->teams.of[r];
    w->holder[p->holders.of[r]].buffer[0] = (buffer){.owner = owner, .tokens = sr_tokens_count(p->team_keys.of[owner])};
  }
  for (int r = 0; r < p->problem.ranks; r++) SR_TRY(begin_step(w, r));
  while (w->n_events > 0) {
    const int64_t i = (int64_t)(next_random(w) % (uint64_t)w->n_events);
    const event e = w->event[i];
    w->event[i] = w->event[--w->n_events];
    SR_TRY(end_event(w, e));
  }
  for (int r = 0; r < p->problem.ranks; r++)
    if (w->rank[r].step < w->replay->rank[r].n_steps)
      return sr_fail(SR_ERR_INTERNAL, "rank %d waits for ever in step %lld", r, (long long)w->rank[r].step);
  const int64_t channels = (int64_t)p->problem.ranks * p->problem.ranks;
  for (int64_t c = 0; c < channels; c++)
    if (w->channel[c].n > 0) return sr_fail(SR_ERR_INTERNAL, "a message is sent or expected in vain");
  return SR_OK;
}

sr_status sr_replay_run(const sr_replay *replay, uint64_t seed) {
  const size_t ranks = (size_t)replay->partition->problem.ranks;
  world w = {.replay = replay,
             .random = seed * 2 + 1,
             .holder = calloc((size_t)replay->partition->holders.n, sizeof(holder)),
             .rank = calloc(ranks, sizeof(progress)),
             .channel = calloc(ranks * ranks, sizeof(channel))};
  for (int i = 0; i < 8; i++) w.eager = next_random(&w) % 2;
  sr_status status = w.holder && w.rank && w.channel ? run(&w) : no_memory();
  for (size_t c = 0; w.channel && c < ranks * ranks; c++) free(w.channel[c].waiting);
  free(w.holder), free(w.rank), free(w.channel), free(w.event);
  return status;
}
