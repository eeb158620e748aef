/* Who owns which tokens. Queries are cut anywhere, keys and values at segment borders, so that a short sequence leaves
 * ranks without keys and none with a broken segment. */
#ifndef SR_SCHEDULE_DEAL_H
#define SR_SCHEDULE_DEAL_H

#include <seqring/distribution.h>
#include <seqring/mask.h>

#include "tokens.h"

/* A sequence dealt to owners. */
typedef struct sr_deal {
  int owners;
  sr_tokens *of; /* [owners] */
} sr_deal;

/* The queries, and the keys, of a problem over so many ranks, by one way to balance them:
 *   contiguous: rank r gets the r-th of as many equal runs as there are ranks;
 *   zigzag: runs r and 2 ranks - 1 - r of 2 ranks (Brandon et al., arXiv:2311.09431, cut it token by token;
 *   Megatron-LM's context parallelism by runs);
 *   weighted: keys as contiguous; queries in runs that are dealt, that with the most visible keys first, to the rank
 * that has the least work so far (longest processing time first: Graham, SIAM J. Appl. Math. 17, 1969). Not
 * SR_BALANCE_AUTO. Keys are dealt as the begin of `room` of them, which are at least as many. False when there is no
 * memory. */
bool sr_deal_queries(sr_arena *arena, const sr_mask *mask, int64_t q_len, int64_t kv_len, int ranks, sr_balance balance,
                     sr_deal *deal);
bool sr_deal_keys(sr_arena *arena, int64_t kv_len, int64_t room, int ranks, sr_balance balance, sr_deal *deal);

/* Puts together what the members of each of n teams own: team_of[owner] is 0 to n - 1. */
bool sr_deal_to_teams(sr_arena *arena, const sr_deal *deal, const int *team_of, int n, sr_deal *teams);

#endif
