/* Tokens dealt by heads: each rank of a team hands its rows of q, k and v to the ranks that work on their heads, and
 * gets rows of o and lse back (all-to-all; DeepSpeed-Ulysses, Jacobs et al., arXiv:2309.14509).
 *
 * Rows leave from one block of memory and arrive in another: outgoing are the parts of the other members one behind the
 * other, incoming are the tensors that are worked on. On their way back, o and lse, which take the place of k and v, go
 * from the second to the first.
 */
#ifndef SR_PLAN_EXCHANGE_H
#define SR_PLAN_EXCHANGE_H

#include "comm/transfer.h"
#include "decision.h"

typedef struct sr_exchange {
  const sr_decision *d;
  char *outgoing, *incoming;
  sr_transfer *there, *back;
} sr_exchange;

/* Bytes of the two blocks, and those that this rank sends a member of its team in one forward. */
uint64_t sr_exchange_outgoing_bytes(const sr_decision *d);
uint64_t sr_exchange_incoming_bytes(const sr_decision *d);
uint64_t sr_exchange_sent_bytes(const sr_decision *d, int member);

/* Makes the transfers, in pieces of so many bytes. exchange->d, outgoing and incoming are set; d must stay. To be
 * destroyed in any case. Not collective. Errors: SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_exchange_create(MPI_Comm comm, uint64_t piece, sr_exchange *exchange);
void sr_exchange_destroy(sr_exchange *exchange);

/* Exchanges q, k and v of the caller's tensors; *work becomes the tensors that are worked on. Collective over the team.
 * Errors: SR_ERR_MPI. */
sr_status sr_exchange_there(sr_exchange *exchange, const sr_tensors *tensors, sr_tensors *work);

/* Exchanges o and lse of those back to the caller's; q, k and v are overwritten. Collective over the team. Errors:
 * SR_ERR_MPI. */
sr_status sr_exchange_back(sr_exchange *exchange, const sr_tensors *tensors);

#endif
