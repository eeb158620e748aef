#include "cost.h"

#include <math.h>

#include "schedule/segment.h"

/* Share of the multiply-adds' peak that tiles reach, queries that a row's fold with a segment is worth in keys, and
 * what bfloat16 pairs and float64 do to the peak. */
static const double tile_share = 0.88, fold_keys = 16, pair_speed = 1.9, double_speed = 0.5;

/* Links of this rank as a strategy uses them. */
typedef struct links {
  const sr_decision *d;
  const sr_site *site;
  const sr_costs *costs;
  double crossing; /* share of the node's ranks that send to other nodes in a step */
} links;

static bool is_near(const links *l, int rank) {
  return l->site->node_of[rank] == l->site->node_of[l->site->rank];
}

/* Round a ring of single ranks, only those send to another node whose neighbour is there. */
static double share_that_crosses(const sr_decision *d, const sr_site *site) {
  const int node = site->node_of[site->rank];
  int here = 0, across = 0;
  for (int r = 0; r < site->ranks; r++) {
    if (site->node_of[r] != node) continue;
    here++;
    across += site->node_of[(r + 1) % site->ranks] != node;
  }
  const bool single = d->way.solver->team == SR_TEAM_RANK && !d->way.solver->direct;
  return single && across > 0 ? (double)across / here : 1;
}

/* Seconds of messages, alone and beside work. */
typedef struct duration {
  double alone, beside;
} duration;

static void add_message(const links *l, int rank, double bytes, duration *to) {
  const bool near = is_near(l, rank);
  const sr_link *link = near ? &l->costs->inside : &l->costs->between;
  const double share = near ? 1 : l->crossing;
  to->alone += link->latency_s + bytes * link->s_per_byte * share;
  to->beside += bytes * link->hidden_s_per_byte * share;
}

static duration messages_of(const links *l, const sr_messages *messages) {
  duration sum = {0, 0};
  for (int64_t i = 0; i < messages->n; i++)
    add_message(l, messages->message[i].rank, (double)sr_block_message_bytes(&l->d->shape, messages->message[i].tokens),
                &sum);
  return sum;
}

static double seconds_per_pair(const sr_decision *d, const sr_costs *costs) {
  const double pair = 2.0 * (double)(d->opt.head_dim + d->opt.value_dim) * (double)d->work.q_heads;
  const double speed = d->kernel->pack == 2 ? pair_speed : d->kernel->sums == SR_F64 ? double_speed : 1;
  return pair / (costs->flops * speed * tile_share);
}

/* Folds of a row with a segment in a step: as many as its keys fill, and one more for those that it sees in part. */
static double folds(double pairs, double rows, int64_t segments) {
  return rows > 0 ? rows * fmin((double)segments, pairs / rows / SR_SEGMENT + 1) : 0;
}

/* Work and messages of a step. */
static double step_seconds(const links *l, const sr_step *step, double pair_s) {
  const sr_decision *d = l->d;
  const duration send = messages_of(l, &step->send), receive = messages_of(l, &step->receive);
  const double pairs = sr_partition_pairs(&d->partition, d->work.q, step->tokens);
  const double rows = pairs > 0 ? (double)sr_tokens_count(d->work.q) : 0;
  const double work = (pairs + fold_keys * folds(pairs, rows, sr_tokens_segments(step->tokens))) * pair_s;
  const double alone = fmax(send.alone, receive.alone), beside = (send.beside + receive.beside) / 2;
  const double meeting = d->members > 1 ? 2 * log2(d->members) * l->costs->inside.latency_s : 0;
  return meeting + (d->opt.no_overlap ? work + alone : fmax(work + beside, alone));
}

/* Heads dealt, there and back: bytes are even among the ranks of a team but for rounding. */
static double exchange_seconds(const links *l) {
  const sr_decision *d = l->d;
  const int n = d->way.head_ranks;
  const double bytes = n > 1 ? (double)d->exchange_bytes / (n - 1) : 0;
  duration sum = {0, 0};
  for (int i = 0; i < n; i++)
    if (i != d->member) add_message(l, sr_team_member(&d->partition.teams, d->team, i), bytes, &sum);
  return sum.alone + 2 * (double)d->exchange_bytes * l->costs->copy_s_per_byte;
}

double sr_cost_seconds(const sr_decision *d, const sr_site *site, const sr_costs *costs) {
  const links l = {d, site, costs, share_that_crosses(d, site)};
  const double pair_s = seconds_per_pair(d, costs);
  const double packed = (double)d->tile_bytes * (double)(d->tiles * d->sets) + (double)sr_decision_own_bytes(d);
  double seconds = exchange_seconds(&l) + packed * costs->copy_s_per_byte;
  for (int64_t s = 0; s < d->schedule.n_steps; s++) seconds += step_seconds(&l, &d->schedule.step[s], pair_s);
  return seconds;
}
