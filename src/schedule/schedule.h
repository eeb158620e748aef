/* What one rank does, step by step: pure arithmetic, which the plan executes and the validator replays.
 *
 * At step 0 a team works on its own keys and values, at each later one on those of another team, which it has received
 * during the step before. A step ends for a rank when its work is done and its messages have come and gone, and for a
 * team when it has for each member.
 *
 * Along a ring (Liu, Zaharia and Abbeel, arXiv:2310.01889) a team passes what it works on to its neighbour, less what
 * nobody further on sees. Directly, each team gets what it sees from its owner: as many bytes, if all see all, but over
 * longer ways; and fewer where neighbours on both sides see little.
 */
#ifndef SR_SCHEDULE_SCHEDULE_H
#define SR_SCHEDULE_SCHEDULE_H

#include "partition.h"

/* Which way keys and values go. */
typedef enum sr_route {
  SR_ROUTE_UP,   /* round the ring, from team t to t + 1 */
  SR_ROUTE_DOWN, /* from team t to t - 1 */
  SR_ROUTE_DIRECT
} sr_route;

/* Keys and values that go to a rank, or come from it. */
typedef struct sr_message {
  int rank;
  sr_tokens tokens;
} sr_message;

typedef struct sr_messages {
  int64_t n;
  sr_message *message;
  int buffer;       /* of the team, where the tokens lie, or come to lie */
  sr_tokens layout; /* all tokens of that buffer meanwhile, ascending */
} sr_messages;

typedef struct sr_step {
  int owner;        /* team whose keys and values are worked on */
  int buffer;       /* where they lie, */
  sr_tokens tokens; /* as far as they were needed here or further on */
  sr_messages send, receive;
} sr_step;

typedef struct sr_schedule {
  int64_t n_steps;
  sr_step *step;
  int buffers; /* of a team */
  sr_arena arena;
} sr_schedule;

/* The direction round a ring in which fewer tokens travel. */
sr_status sr_route_round(const sr_partition *partition, sr_route *route);

/* The steps of a rank; the partition must outlive them. Not collective. To be freed in any case. Errors:
 * SR_ERR_RESOURCE. */
sr_status sr_schedule_make(const sr_partition *partition, sr_route route, int rank, sr_schedule *schedule);
void sr_schedule_free(sr_schedule *schedule);

#endif
