/* Replays the schedule of all ranks at once, without MPI, files or kernels, and proves it for one problem. */
#ifndef SR_SCHEDULE_REPLAY_H
#define SR_SCHEDULE_REPLAY_H

#include "schedule.h"

typedef struct sr_replay {
  const sr_partition *partition;
  sr_schedule *rank; /* [ranks] */
} sr_replay;

/* What all ranks do. */
typedef struct sr_replay_report {
  double pairs;        /* visible (query, key) pairs that are met */
  double balance;      /* pairs of the busiest rank over the mean; 1 when there are none */
  double step_balance; /* the same of a step: sum over steps of the busiest rank's pairs, over the mean rank's pairs */
  int64_t tokens_sent; /* that travel, over all ranks and steps */
} sr_replay_report;

/* The schedules of all ranks of a partition, which must outlive them. To be freed in any case. Errors:
 * SR_ERR_RESOURCE. */
sr_status sr_replay_make(const sr_partition *partition, sr_route route, sr_replay *replay);
void sr_replay_free(sr_replay *replay);

/* Checks that every query has one owner and every key one, that shards are cut at segment borders, that every visible
 * pair is met exactly once, and adds up what is done. Errors: SR_ERR_INTERNAL, with what is violated, SR_ERR_RESOURCE.
 */
sr_status sr_replay_check(const sr_replay *replay, sr_replay_report *report);

/* Lets the ranks run, with work and messages ending in an order that seed chooses, and sends with or without the
 * receiver's ready buffer. Checks that each message has a receive of the same tokens and the other way round, that what
 * is worked on or sent lies in its buffer as a whole, that no buffer is written while it is in use, and that all ranks
 * come to their end. Errors: SR_ERR_INTERNAL, with what is violated, SR_ERR_RESOURCE. */
sr_status sr_replay_run(const sr_replay *replay, uint64_t seed);

#endif
