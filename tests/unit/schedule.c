/* Masks, deals and schedules, against brute force and by replaying thousands of problems. */
#include "schedule/heads.h"
#include "schedule/mask.h"
#include "schedule/replay.h"
#include "schedule/segment.h"
#include "suite.h"

/* Document of a position, the last that begins at or before it. */
static int64_t document_of(const sr_mask *m, int64_t p) {
  int64_t i = m->n_documents - 1;
  while (i > 0 && m->documents[i] > p) i--;
  return i;
}

static bool sees(const sr_mask *m, int64_t p, int64_t j, int64_t kv_len) {
  const int64_t inside = p < 0 ? 0 : p < kv_len ? p : kv_len - 1;
  const int64_t begin = m->n_documents ? m->documents[document_of(m, inside)] : 0;
  return (!m->causal || j <= p) && (m->window_left < 0 || j >= p - m->window_left || j < begin + m->sinks) &&
         (m->window_right < 0 || j <= p + m->window_right) && document_of(m, inside) == document_of(m, j);
}

enum { MOST_DOCUMENTS = 12 };

/* Documents of any length, none included. */
static void random_documents(uint64_t *r, int64_t kv_len, int64_t *documents, sr_mask *m) {
  m->documents = documents;
  m->n_documents = random_int(r, 1, MOST_DOCUMENTS);
  documents[0] = 0;
  for (int64_t i = 1; i < m->n_documents; i++) {
    const int64_t last = documents[i - 1], longest = random_int(r, 0, 1) ? kv_len : kv_len / MOST_DOCUMENTS;
    const int64_t begin = random_int(r, 0, 5) ? last + random_int(r, 0, longest) : last;
    documents[i] = begin < kv_len ? begin : kv_len;
  }
}

static sr_mask random_mask(uint64_t *r, int64_t reach, int64_t kv_len, int64_t *documents) {
  sr_mask m = {.causal = random_int(r, 0, 1) == 1,
               .window_left = random_int(r, 0, 2) ? -1 : random_int(r, 0, reach),
               .window_right = random_int(r, 0, 2) ? -1 : random_int(r, 0, reach),
               .q_start = random_int(r, 0, 2) ? SR_Q_START_END : random_int(r, -reach, reach),
               .sinks = random_int(r, 0, 1) ? 0 : random_int(r, 0, reach / 2)};
  if (!random_int(r, 0, 2)) random_documents(r, kv_len, documents, &m);
  return m;
}

static bool holds(const sr_sight *sight, int64_t j) {
  bool is_in = false;
  for (int i = 0; i < SR_SIGHT_RUNS; i++) is_in |= j >= sight->run[i].lo && j < sight->run[i].hi;
  return is_in;
}

static int64_t keys_of(const sr_sight *sight) {
  int64_t keys = 0;
  for (int i = 0; i < SR_SIGHT_RUNS; i++) keys += sight->run[i].hi - sight->run[i].lo;
  return keys;
}

static void masks_match_their_definition(void) {
  uint64_t r = 1;
  for (int n = 0; n < 2000; n++) {
    int64_t kv_len = random_int(&r, 1, 40), q_len = random_int(&r, 1, 40), seen_by_any = 0, pairs = 0;
    int64_t documents[MOST_DOCUMENTS];
    sr_mask m = random_mask(&r, 50, kv_len, documents);
    int64_t start = sr_mask_q_start(&m, q_len, kv_len);
    const sr_sight all = sr_mask_union(&m, start, q_len, kv_len);
    for (int64_t j = 0; j < kv_len; j++) {
      bool any = false;
      for (int64_t i = 0; i < q_len; i++) {
        const sr_sight sight = sr_mask_sees(&m, start + i, kv_len);
        const bool inside = holds(&sight, j);
        if (inside != sees(&m, start + i, j, kv_len)) CU_FAIL("sight");
        any |= inside;
        pairs += inside;
      }
      seen_by_any += any;
      if (any != holds(&all, j)) CU_FAIL("union");
    }
    CU_ASSERT_EQUAL(keys_of(&all), seen_by_any);
    CU_ASSERT_EQUAL(sr_mask_pairs(&m, start, q_len, kv_len, (sr_span){0, kv_len}), (double)pairs);
    int64_t cut = random_int(&r, 0, kv_len);
    double parts = sr_mask_pairs(&m, start, q_len, kv_len, (sr_span){0, cut}) +
                   sr_mask_pairs(&m, start, q_len, kv_len, (sr_span){cut, kv_len - cut});
    CU_ASSERT_EQUAL(parts, (double)pairs);
  }
}

static void masks_hold_at_the_ends_of_the_type(void) {
  sr_mask m = {.causal = true, .window_left = INT64_MAX, .window_right = INT64_MAX};
  sr_sight sight = sr_mask_sees(&m, INT64_MAX, 10);
  CU_ASSERT(sight.run[SR_SIGHT_WINDOW].lo == 0 && sight.run[SR_SIGHT_WINDOW].hi == 10);
  sight = sr_mask_sees(&m, INT64_MIN, 10);
  CU_ASSERT(sr_sight_is_empty(&sight));
  m = (sr_mask){.causal = true, .window_left = 0, .sinks = INT64_MAX};
  sight = sr_mask_sees(&m, 9, 10);
  CU_ASSERT(sight.run[SR_SIGHT_SINKS].lo == 0 && sight.run[SR_SIGHT_SINKS].hi == 9);
  CU_ASSERT(sight.run[SR_SIGHT_WINDOW].lo == 9 && sight.run[SR_SIGHT_WINDOW].hi == 10);
}

static void segments_follow_one_another(void) {
  uint64_t r = 2;
  for (int n = 0; n < 500; n++) {
    sr_arena arena = {0};
    sr_deal deal;
    int64_t len = random_int(&r, 1, 40 * SR_SEGMENT), all = 0;
    int ranks = (int)random_int(&r, 1, 20);
    CU_ASSERT(sr_deal_keys(&arena, len, len, ranks, n % 2 ? SR_BALANCE_ZIGZAG : SR_BALANCE_CONTIGUOUS, &deal));
    for (int rank = 0; rank < ranks; rank++) {
      int64_t last = -1, keys = 0, segments = sr_tokens_segments(deal.of[rank]);
      for (int64_t i = 0; i < segments; i++) {
        sr_span s = sr_tokens_segment(deal.of[rank], i);
        CU_ASSERT(s.start > last && s.start % SR_SEGMENT == 0 && s.count >= 1 && s.count <= SR_SEGMENT);
        CU_ASSERT(s.count == SR_SEGMENT || i == segments - 1);
        keys += s.count;
        last = s.start;
      }
      CU_ASSERT_EQUAL(keys, sr_tokens_count(deal.of[rank]));
      all += keys;
    }
    CU_ASSERT_EQUAL(all, len);
    sr_arena_free(&arena);
  }
}

static bool has(sr_tokens tokens, int64_t token) {
  for (int64_t i = 0; i < tokens.n; i++)
    if (token >= tokens.span[i].start && token < tokens.span[i].start + tokens.span[i].count) return true;
  return false;
}

static sr_tokens random_tokens(sr_arena *arena, uint64_t *r, int64_t most) {
  sr_tokens tokens = {.span = sr_arena_take(arena, most, sizeof(sr_span))};
  for (int64_t at = random_int(r, 0, 3); at < most; at += random_int(r, 1, 5)) {
    int64_t end = at + random_int(r, 1, 9);
    sr_tokens_append(&tokens, at, end);
    at = end;
  }
  return tokens;
}

static void sets_of_tokens_match_their_definition(void) {
  uint64_t r = 4;
  for (int n = 0; n < 500; n++) {
    sr_arena arena = {0};
    sr_tokens a = random_tokens(&arena, &r, 60), b = random_tokens(&arena, &r, 60), both, any, part;
    CU_ASSERT(sr_tokens_both(&arena, a, b, &both) && sr_tokens_any(&arena, a, b, &any));
    for (int64_t t = 0; t < 80; t++) {
      CU_ASSERT_EQUAL(has(both, t), has(a, t) && has(b, t));
      CU_ASSERT_EQUAL(has(any, t), has(a, t) || has(b, t));
    }
    for (int64_t i = 1; i < any.n; i++) CU_ASSERT(any.span[i].start > any.span[i - 1].start + any.span[i - 1].count);
    int64_t parts = random_int(&r, 1, 7), unit = random_int(&r, 1, 8), count = 0;
    for (int64_t i = 0; i < parts; i++) {
      CU_ASSERT(sr_tokens_part(&arena, a, i, parts, unit, &part));
      for (int64_t t = 0; t < 80; t++) CU_ASSERT(!has(part, t) || has(a, t));
      count += sr_tokens_count(part);
    }
    CU_ASSERT_EQUAL(count, sr_tokens_count(a));
    sr_arena_free(&arena);
  }
}

static void heads_are_dealt_once(void) {
  uint64_t r = 5;
  for (int n = 0; n < 500; n++) {
    const int64_t kv_heads = random_int(&r, 1, 12), group = random_int(&r, 1, 9), q_heads = kv_heads * group;
    const int64_t parts = random_int(&r, 1, q_heads);
    int64_t q = 0, kv = 0, least = q_heads, most = 0;
    for (int64_t i = 0; i < parts; i++) {
      const sr_heads h = sr_heads_part(q_heads, kv_heads, parts, i);
      CU_ASSERT_EQUAL(h.q_first, q);
      CU_ASSERT_EQUAL(h.kv_first, h.counts_kv ? kv : kv - 1);
      CU_ASSERT(h.q_count > 0 && h.q_count % h.kv_count == 0 && h.q_first / group == h.kv_first);
      CU_ASSERT_EQUAL((h.q_first + h.q_count - 1) / group, h.kv_first + h.kv_count - 1);
      if (h.kv_count > 1) CU_ASSERT_EQUAL(h.q_count, h.kv_count * group);
      q += h.q_count;
      if (h.counts_kv) kv += h.kv_count;
      if (h.q_count < least) least = h.q_count;
      if (h.q_count > most) most = h.q_count;
    }
    CU_ASSERT(q == q_heads && kv == kv_heads);
    if (kv_heads % parts == 0 || (parts % kv_heads == 0 && q_heads % parts == 0)) CU_ASSERT_EQUAL(least, most);
  }
}

static const sr_balance balances[] = {SR_BALANCE_CONTIGUOUS, SR_BALANCE_ZIGZAG, SR_BALANCE_WEIGHTED};

/* Teams of any size, dealt to ranks in any order: [ranks], each of 0 to n - 1 taken. */
static void random_teams(uint64_t *r, int ranks, int *team_of) {
  int n = (int)random_int(r, 1, ranks);
  for (int i = 0; i < ranks; i++) team_of[i] = i < n ? i : (int)random_int(r, 0, n - 1);
  for (int i = ranks - 1; i > 0; i--) {
    int j = (int)random_int(r, 0, i), held = team_of[i];
    team_of[i] = team_of[j], team_of[j] = held;
  }
}

/* Teams of as many neighbours, the largest number of them up to `most` that divides the ranks. Returns it. */
static int equal_teams(int ranks, int most, int *team_of) {
  while (ranks % most) most--;
  for (int i = 0; i < ranks; i++) team_of[i] = i / most;
  return most;
}

enum { MOST_RANKS = 64 };

static sr_problem random_problem(uint64_t *r, int n, int *team_of, int64_t *documents) {
  int64_t longest = n % 50 ? 3000 : 70000;
  sr_problem p = {.q_len = random_int(r, 1, longest),
                  .kv_len = random_int(r, 1, longest),
                  .ranks = (int)random_int(r, 1, n % 10 ? 9 : MOST_RANKS),
                  .grain = random_int(r, 1, 2),
                  .balance = balances[random_int(r, 0, 2)]};
  if (p.balance != SR_BALANCE_WEIGHTED && random_int(r, 0, 3) == 0) {
    p.q_len = p.kv_len;
    p.same_rows = true;
  }
  p.q_room = p.q_len + (random_int(r, 0, 2) ? 0 : random_int(r, 0, longest));
  p.kv_room = p.same_rows ? p.q_room : p.kv_len + (random_int(r, 0, 2) ? 0 : random_int(r, 0, longest));
  p.mask = random_mask(r, longest, p.kv_len, documents);
  switch (random_int(r, 0, 3)) {
  case 0:
    random_teams(r, p.ranks, team_of);
    p.team_of = team_of;
    break;
  case 1:
    p.by_heads = true;
    p.team_of = team_of;
    equal_teams(p.ranks, (int)random_int(r, 1, p.ranks), team_of);
  }
  return p;
}

/* Checks a schedule and runs it with so many seeds; names what fails. */
static bool replay(const sr_partition *partition, sr_route route, int seeds, sr_replay_report *report) {
  sr_replay all;
  sr_status status = sr_replay_make(partition, route, &all);
  if (status == SR_OK) status = sr_replay_check(&all, report);
  for (int seed = 0; seed < seeds && status == SR_OK; seed++) {
    status = sr_replay_run(&all, (uint64_t)seed);
    if (status != SR_OK) fprintf(stderr, "seed %d: ", seed);
  }
  sr_replay_free(&all);
  if (status != SR_OK) fprintf(stderr, "route %d: %s\n", (int)route, sr_error_text());
  return status == SR_OK;
}

static void every_schedule_is_valid(void) {
  uint64_t r = 3;
  for (int n = 0; n < 2000; n++) {
    int team_of[MOST_RANKS];
    int64_t documents[MOST_DOCUMENTS];
    sr_problem p = random_problem(&r, n, team_of, documents);
    sr_partition partition;
    sr_replay_report report;
    CU_ASSERT_EQUAL(sr_partition_make(&p, &partition), SR_OK);
    double pairs = sr_mask_pairs(&p.mask, partition.q_start, p.q_len, p.kv_len, (sr_span){0, p.kv_len});
    double members = p.by_heads ? partition.teams.first[1] : 1;
    for (sr_route route = SR_ROUTE_UP; route <= SR_ROUTE_DIRECT; route++) {
      if (!replay(&partition, route, 3, &report)) {
        fprintf(stderr, "problem %d: q %lld, kv %lld, %d ranks\n", n, (long long)p.q_len, (long long)p.kv_len, p.ranks);
        CU_FAIL("schedule");
      }
      CU_ASSERT_EQUAL(report.pairs, pairs * members); /* of which each has some heads */
    }
    sr_partition_free(&partition);
  }
}

/* A problem of as many queries as keys. */
static sr_problem square(int64_t len, int ranks, sr_balance balance, bool causal, int64_t left) {
  return (sr_problem){.q_len = len,
                      .kv_len = len,
                      .q_room = len,
                      .kv_room = len,
                      .grain = 1,
                      .ranks = ranks,
                      .balance = balance,
                      .mask = {.causal = causal, .window_left = left, .window_right = -1, .q_start = SR_Q_START_END}};
}

static sr_replay_report report_of(const sr_problem *p, sr_route route) {
  sr_partition partition;
  sr_replay_report report = {0};
  CU_ASSERT_EQUAL(sr_partition_make(p, &partition), SR_OK);
  CU_ASSERT(replay(&partition, route, 1, &report));
  sr_partition_free(&partition);
  return report;
}

/* The way round the ring that sr_route_round takes. */
static sr_replay_report report_of_ring(const sr_problem *p) {
  sr_partition partition;
  sr_route route;
  CU_ASSERT_EQUAL(sr_partition_make(p, &partition), SR_OK);
  CU_ASSERT_EQUAL(sr_route_round(&partition, &route), SR_OK);
  sr_partition_free(&partition);
  return report_of(p, route);
}

/* A causal mask leaves the last of 16 contiguous ranks with nearly twice the mean. */
static void work_is_balanced(void) {
  const int64_t len = 65536;
  sr_problem p = square(len, 16, SR_BALANCE_CONTIGUOUS, true, -1);
  CU_ASSERT(report_of_ring(&p).balance > 1.9);
  p.balance = SR_BALANCE_ZIGZAG;
  CU_ASSERT(report_of_ring(&p).balance <= 1.001);
  CU_ASSERT(report_of_ring(&p).step_balance <= 1.02);
  p.balance = SR_BALANCE_WEIGHTED;
  CU_ASSERT(report_of_ring(&p).balance <= 1.02);
  p.mask.window_left = 1024;
  CU_ASSERT(report_of_ring(&p).balance <= 1.02);
  p.balance = SR_BALANCE_CONTIGUOUS;
  CU_ASSERT(report_of_ring(&p).balance <= 1.02);
}

/* Keys that a ring of ranks passes on: each but its own to each rank, where all see all. Causal, the nearer half; dealt
 * zigzag, the nearer half of each rank's later keys. */
static void rings_send_what_is_seen(void) {
  const int64_t len = 32 * SR_SEGMENT, n = len / 16;
  sr_problem full = square(len, 16, SR_BALANCE_CONTIGUOUS, false, -1),
             causal = square(len, 16, SR_BALANCE_CONTIGUOUS, true, -1);
  CU_ASSERT_EQUAL(report_of_ring(&full).tokens_sent, 15 * len);
  CU_ASSERT_EQUAL(report_of_ring(&causal).tokens_sent, 15 * len / 2);
  CU_ASSERT_EQUAL(report_of(&causal, SR_ROUTE_DIRECT).tokens_sent, 15 * len / 2);
  causal.balance = SR_BALANCE_ZIGZAG;
  CU_ASSERT_EQUAL(report_of_ring(&causal).tokens_sent, 15 * len / 2 + 15 * len / 4);
  int team_of[16];
  for (int r = 0; r < 16; r++) team_of[r] = r / 4;
  full.team_of = team_of;
  CU_ASSERT_EQUAL(report_of_ring(&full).tokens_sent, 3 * 16 * n); /* M - 1 a rank */
}

/* Windows reach so many keys to the left, whole ranks or not. */
static void windows_send_what_they_reach(void) {
  const int64_t n = 2 * SR_SEGMENT;
  const int64_t reach[] = {0, 1, 100, 1024, 2048, 3000, 4096};
  for (size_t i = 0; i < sizeof reach / sizeof *reach; i++) {
    sr_problem p = square(16 * n, 16, SR_BALANCE_CONTIGUOUS, true, reach[i]);
    int64_t keys = 0; /* rank r lacks what its window reaches of the r n keys to its left */
    for (int r = 0; r < 16; r++) keys += reach[i] < r * n ? reach[i] : r * n;
    CU_ASSERT_EQUAL(report_of(&p, SR_ROUTE_DIRECT).tokens_sent, keys);
    CU_ASSERT(report_of_ring(&p).tokens_sent >= keys);
  }
}

/* Thousands of orders of events, some of them on as many ranks as a schedule is tried with. */
static void no_order_of_events_is_fatal(void) {
  for (int i = 0; i < 36; i++) {
    static const int ranks[] = {2, 3, 4, 6, 8, 13};
    int n = ranks[i % 6], team_of[16];
    sr_problem p = square(8 * n * SR_SEGMENT / 2, n, balances[i % 3], i % 2, i % 4 == 3 ? 2000 : -1);
    for (int r = 0; r < n; r++) team_of[r] = r / 2;
    if (i % 5 == 0) p.team_of = team_of;
    sr_partition partition;
    sr_replay_report report;
    CU_ASSERT_EQUAL(sr_partition_make(&p, &partition), SR_OK);
    CU_ASSERT(replay(&partition, (sr_route)(i / 6 % 3), 300, &report));
    sr_partition_free(&partition);
  }
}

/* The replay finds what it is for. */
static void spoiled_schedules_are_found(void) {
  sr_problem p = square(8 * SR_SEGMENT, 4, SR_BALANCE_CONTIGUOUS, false, -1);
  sr_partition partition;
  CU_ASSERT_EQUAL(sr_partition_make(&p, &partition), SR_OK);
  for (int spoil = 0; spoil < 5; spoil++) {
    sr_replay all;
    sr_replay_report report;
    CU_ASSERT_EQUAL(sr_replay_make(&partition, SR_ROUTE_UP, &all), SR_OK);
    sr_step *step = &all.rank[1].step[1];
    if (spoil == 0) step->owner = 1;                              /* keys are met twice */
    if (spoil == 1) step->send.n = 0;                             /* a receive in vain */
    if (spoil == 2) step->send.message[0].rank = 3;               /* a message for the wrong rank */
    if (spoil == 3) step->receive.buffer = step->buffer;          /* a buffer in use is overwritten */
    if (spoil == 4) step->send.message[0].tokens.span[0].count--; /* fewer keys than expected */
    bool found = sr_replay_check(&all, &report) != SR_OK;
    for (uint64_t seed = 0; seed < 20 && !found; seed++) found = sr_replay_run(&all, seed) != SR_OK;
    CU_ASSERT(found);
    sr_replay_free(&all);
  }
  sr_partition_free(&partition);
}

int main(void) {
  return run_suite("schedule",
                   (const test_case[]){{"masks match their definition", masks_match_their_definition},
                                       {"masks at the ends of the type", masks_hold_at_the_ends_of_the_type},
                                       {"segments follow one another", segments_follow_one_another},
                                       {"sets of tokens", sets_of_tokens_match_their_definition},
                                       {"heads are dealt once", heads_are_dealt_once},
                                       {"every schedule is valid", every_schedule_is_valid},
                                       {"work is balanced", work_is_balanced},
                                       {"rings send what is seen", rings_send_what_is_seen},
                                       {"windows send what they reach", windows_send_what_they_reach},
                                       {"no order of events is fatal", no_order_of_events_is_fatal},
                                       {"spoiled schedules are found", spoiled_schedules_are_found},
                                       {0}});
}
