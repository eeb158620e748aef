/* Where tiles keep their state, which no bit of a result shows: what the plan finds for groups of tiles is what is
 * found tile by tile, for every rank of every way to solve random problems. Nothing is sent. */
#include <seqring/seqring.h>
#include <stdlib.h>

#include "check.h"
#include "plan/decision.h"
#include "plan/stay.h"
#include "problem.h"

enum { MOST_RANKS = 6, MOST_DOCUMENTS = 12, MOST_WAYS = 64 };

/* Of spans that ascend. */
static bool have_some(sr_tokens tokens, sr_range range) {
  for (int64_t i = 0; i < tokens.n; i++)
    if (range.lo < range.hi && tokens.span[i].start < range.hi &&
        tokens.span[i].start + tokens.span[i].count > range.lo)
      return true;
  return false;
}

/* How many steps a tile sees keys in, and one of them. */
static int count_steps(const sr_decision *d, int64_t tile, int64_t *step) {
  const sr_tile_rows t = sr_decision_tile(d, tile);
  const int64_t first = t.first_row / d->work.group, last = (t.first_row + t.rows - 1) / d->work.group;
  const sr_sight sight = sr_mask_union(&d->opt.mask, t.position + first, last - first + 1, d->opt.kv_len);
  int n = 0;
  for (int64_t s = 0; s < d->schedule.n_steps; s++) {
    bool meets = false;
    for (int run = 0; run < SR_SIGHT_RUNS; run++) meets |= have_some(d->schedule.step[s].tokens, sight.run[run]);
    if (meets) *step = s;
    n += meets;
  }
  return n;
}

static void check_stays(const sr_decision *d) {
  int64_t kept = 0;
  for (int64_t tile = 0; tile < d->head_tiles; tile++) {
    const sr_stay stay = sr_stay_of(d, tile + (d->work.kv_heads - 1) * d->head_tiles);
    int64_t step = stay.step;
    const int n = count_steps(d, tile, &step);
    CHECK(n < 2 ? stay.step == step && step >= 0 : stay.step == -1 && stay.kept == kept);
    kept += n > 1;
  }
  CHECK(d->head_kept == kept);
}

static void random_options(uint64_t *state, int64_t *documents, sr_options *o) {
  sr_options_default(o);
  o->kv_len = problem_int(state, 1, 9000);
  o->q_len = problem_int(state, 0, 2) ? o->kv_len : problem_int(state, SR_DECODE_QUERIES + 1, 9000);
  if (o->q_len <= SR_DECODE_QUERIES) o->q_len += SR_DECODE_QUERIES;
  o->kv_heads = problem_int(state, 1, 3), o->q_heads = o->kv_heads * problem_int(state, 1, 3);
  o->head_dim = o->value_dim = 8, o->threads = 1;
  o->mask.causal = problem_int(state, 0, 1);
  o->mask.window_left = problem_int(state, 0, 2) ? problem_int(state, 0, problem_int(state, 0, 1) ? 80 : 5000) : -1;
  if (!o->mask.causal && problem_int(state, 0, 1)) o->mask.window_right = problem_int(state, 0, 900);
  if (o->mask.window_left >= 0 && problem_int(state, 0, 1)) o->mask.sinks = problem_int(state, 1, 1500);
  if (problem_int(state, 0, 3)) return;
  o->mask.documents = documents, o->mask.n_documents = problem_int(state, 1, MOST_DOCUMENTS);
  for (int64_t i = 1; i < o->mask.n_documents; i++)
    documents[i] = documents[i - 1] + problem_int(state, 0, (o->kv_len - documents[i - 1]) / 3);
}

/* Every way and rank of one problem; returns how many decisions they were. */
static int check_problem(uint64_t *state) {
  int node_of[MOST_RANKS], n = 0;
  int64_t documents[MOST_DOCUMENTS] = {0};
  sr_way way[MOST_WAYS];
  sr_options options;
  sr_site site = {.ranks = (int)problem_int(state, 1, MOST_RANKS), .node_of = node_of};
  const int a_node = (int)problem_int(state, 1, 3);
  for (int r = 0; r < site.ranks; r++) node_of[r] = r / a_node;
  random_options(state, documents, &options);
  const int ways = sr_ways(&options, &site, way, MOST_WAYS);
  for (int w = 0; w < ways; w++)
    for (site.rank = 0; site.rank < site.ranks; site.rank++, n++) {
      sr_decision d;
      CHECK(sr_decide(&options, &site, &way[w], &d) == SR_OK);
      check_stays(&d);
      sr_decision_free(&d);
    }
  return n;
}

int main(int argc, char **argv) {
  uint64_t state = 11;
  int decisions = 0;
  MPI_Init(&argc, &argv);
  for (int i = 0; i < 400; i++) decisions += check_problem(&state);
  CHECK(decisions > 1000);
  return finish_checks();
}
