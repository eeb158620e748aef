/* Masks, shards and the ring, against brute force and with the validator over thousands of problems. */
#include "schedule/mask.h"
#include "schedule/ring.h"
#include "schedule/segment.h"
#include "schedule/shard.h"
#include "schedule/validate.h"
#include "suite.h"

static bool sees(const sr_mask *m, int64_t p, int64_t j) {
  return (!m->causal || j <= p) && (m->window_left < 0 || j >= p - m->window_left) &&
         (m->window_right < 0 || j <= p + m->window_right);
}

static sr_mask random_mask(uint64_t *r, int64_t reach) {
  return (sr_mask){.causal = random_int(r, 0, 1) == 1,
                   .window_left = random_int(r, 0, 2) ? -1 : random_int(r, 0, reach),
                   .window_right = random_int(r, 0, 2) ? -1 : random_int(r, 0, reach),
                   .q_start = random_int(r, 0, 2) ? SR_Q_START_END : random_int(r, -reach, reach)};
}

static void masks_match_their_definition(void) {
  uint64_t r = 1;
  for (int n = 0; n < 2000; n++) {
    int64_t kv_len = random_int(&r, 1, 40), q_len = random_int(&r, 1, 40), seen_by_any = 0, pairs = 0;
    sr_mask m = random_mask(&r, 50);
    int64_t start = sr_mask_q_start(&m, q_len, kv_len);
    sr_range all = sr_mask_union(&m, start, q_len, kv_len);
    for (int64_t j = 0; j < kv_len; j++) {
      bool any = false;
      for (int64_t i = 0; i < q_len; i++) {
        sr_range range = sr_mask_range(&m, start + i, kv_len);
        bool inside = j >= range.lo && j < range.hi;
        if (inside != sees(&m, start + i, j)) CU_FAIL("range");
        any |= inside;
        pairs += inside;
      }
      seen_by_any += any;
      if (any != (j >= all.lo && j < all.hi)) CU_FAIL("union");
    }
    CU_ASSERT_EQUAL(all.hi - all.lo, seen_by_any);
    CU_ASSERT_EQUAL(sr_mask_pairs(&m, start, q_len, (sr_span){0, kv_len}), (double)pairs);
    int64_t cut = random_int(&r, 0, kv_len);
    double parts = sr_mask_pairs(&m, start, q_len, (sr_span){0, cut}) +
                   sr_mask_pairs(&m, start, q_len, (sr_span){cut, kv_len - cut});
    CU_ASSERT_EQUAL(parts, (double)pairs);
  }
}

static void masks_hold_at_the_ends_of_the_type(void) {
  sr_mask m = {.causal = true, .window_left = INT64_MAX, .window_right = INT64_MAX};
  sr_range r = sr_mask_range(&m, INT64_MAX, 10);
  CU_ASSERT(r.lo == 0 && r.hi == 10);
  r = sr_mask_range(&m, INT64_MIN, 10);
  CU_ASSERT(r.lo == r.hi);
}

static void segments_follow_one_another(void) {
  uint64_t r = 2;
  for (int n = 0; n < 500; n++) {
    int64_t len = random_int(&r, 1, 40 * SR_SEGMENT);
    int ranks = (int)random_int(&r, 1, 20), rank = (int)random_int(&r, 0, ranks - 1);
    sr_shard shard = sr_shard_keys(len, ranks, rank, n % 2);
    int64_t keys = 0, last = -1, segments = sr_shard_segments(&shard);
    for (int64_t i = 0; i < segments; i++) {
      sr_span s = sr_shard_segment(&shard, i);
      CU_ASSERT(s.start > last && s.start % SR_SEGMENT == 0 && s.count >= 1 && s.count <= SR_SEGMENT);
      CU_ASSERT(s.count == SR_SEGMENT || i == segments - 1);
      keys += s.count;
      last = s.start;
    }
    CU_ASSERT_EQUAL(keys, sr_shard_count(&shard));
  }
}

static void every_schedule_is_valid(void) {
  uint64_t r = 3;
  for (int n = 0; n < 3000; n++) {
    int64_t longest = n % 50 ? 3000 : 70000;
    sr_schedule_problem p = {.q_len = random_int(&r, 1, longest),
                             .kv_len = random_int(&r, 1, longest),
                             .ranks = (int)random_int(&r, 1, n % 10 ? 9 : 64),
                             .zigzag = random_int(&r, 0, 1) == 1,
                             .mask = random_mask(&r, longest)};
    sr_schedule_report report;
    if (sr_schedule_validate(&p, &report) == SR_OK) continue;
    fprintf(stderr, "problem %d: q %lld, kv %lld, %d ranks: %s\n", n, (long long)p.q_len, (long long)p.kv_len, p.ranks,
            sr_error_text());
    CU_FAIL("schedule");
  }
}

/* A causal mask leaves the last of 16 contiguous ranks with nearly twice the mean; zigzag evens it out, at every step.
 */
static void zigzag_balances_causal_work(void) {
  sr_schedule_problem p = {.q_len = 65536, .kv_len = 65536, .ranks = 16, .zigzag = true};
  p.mask = (sr_mask){.causal = true, .window_left = -1, .window_right = -1, .q_start = SR_Q_START_END};
  sr_schedule_report even, plain;
  CU_ASSERT_EQUAL(sr_schedule_validate(&p, &even), SR_OK);
  CU_ASSERT(even.balance <= 1.001);
  CU_ASSERT(even.step_balance <= 1.02);
  p.zigzag = false;
  CU_ASSERT_EQUAL(sr_schedule_validate(&p, &plain), SR_OK);
  CU_ASSERT(plain.balance > 1.9);
  CU_ASSERT_EQUAL(plain.tokens_sent, 15 * 65536);
  CU_ASSERT_EQUAL(even.tokens_sent, 15 * 65536);
}

int main(void) {
  return run_suite("schedule",
                   (const test_case[]){{"masks match their definition", masks_match_their_definition},
                                       {"masks at the ends of the type", masks_hold_at_the_ends_of_the_type},
                                       {"segments follow one another", segments_follow_one_another},
                                       {"every schedule is valid", every_schedule_is_valid},
                                       {"zigzag balances causal work", zigzag_balances_causal_work},
                                       {0}});
}
