/* Proves a schedule for one problem without MPI: what the engine would do is replayed for all ranks at once. */
#ifndef SR_SCHEDULE_VALIDATE_H
#define SR_SCHEDULE_VALIDATE_H

#include <seqring/mask.h>
#include <seqring/status.h>
#include <stdint.h>

typedef struct sr_schedule_problem {
  int64_t q_len, kv_len;
  int ranks;
  bool zigzag;
  sr_mask mask;
} sr_schedule_problem;

typedef struct sr_schedule_report {
  double pairs;        /* visible (query, key) pairs that were met */
  double balance;      /* pairs of the busiest rank over the mean; 1 when there are none */
  double step_balance; /* the same of a step: sum over steps of the busiest rank's pairs, over the mean rank's pairs */
  int64_t tokens_sent; /* KV tokens that travel, over all ranks and steps */
} sr_schedule_report;

/* Checks that every query has one owner and every key one shard, that shards are cut at segment borders, that every
 * visible pair is met exactly once, that each send has the receive that it needs and each receive its send, of the same
 * shard, and that blocking sends and receives in the engine's order come to an end. Not collective. Errors:
 * SR_ERR_INTERNAL, with what was violated, SR_ERR_RESOURCE. */
sr_status sr_schedule_validate(const sr_schedule_problem *problem, sr_schedule_report *report);

#endif
