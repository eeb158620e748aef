/* The ring: which rank's keys and values a rank holds at every step, and whom it then talks to.
 *
 * At step s of P, rank r works on the KV shard of rank r - s (mod P). While it does, it receives the shard of the next
 * step from its left neighbour r - 1 and passes the one it holds to its right neighbour r + 1. After P - 1 exchanges
 * every rank has met every shard (Liu, Zaharia and Abbeel, arXiv:2310.01889).
 */
#ifndef SR_SCHEDULE_RING_H
#define SR_SCHEDULE_RING_H

#include <stdbool.h>

/* What one rank does in one step. */
typedef struct sr_ring_step {
  int owner;      /* whose KV shard is worked on, and passed to send_to */
  bool exchange;  /* false in the last step */
  int send_to;    /* right neighbour */
  int recv_from;  /* left neighbour */
  int next_owner; /* whose shard is received */
} sr_ring_step;

sr_ring_step sr_ring(int ranks, int rank, int step);

#endif
