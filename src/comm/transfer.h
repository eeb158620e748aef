/* Messages that go and come together, in flight while the caller computes, as often as it likes.
 *
 * Each message is cut into pieces, so that no count passes int and progress is made piece by piece; receives are posted
 * before sends. Open MPI moves data only inside MPI calls: whoever waits for a transfer calls sr_transfer_poll now and
 * then.
 */
#ifndef SR_COMM_TRANSFER_H
#define SR_COMM_TRANSFER_H

#include <mpi.h>
#include <stdint.h>

#include <seqring/status.h>

typedef struct sr_transfer sr_transfer;

/* A stretch of memory. */
typedef struct sr_stretch {
  char *at;
  uint64_t bytes;
} sr_stretch;

/* An empty transfer over comm, which must outlive it, in pieces of so many bytes. *transfer is NULL on failure. Not
 * collective. */
sr_status sr_transfer_create(MPI_Comm comm, uint64_t piece, sr_transfer **transfer);
void sr_transfer_destroy(sr_transfer **transfer);

/* Adds a message that comes from a rank, or goes to one: n stretches of memory, of as many bytes in all as at the other
 * side. Between two ranks, the messages of all transfers that are in flight arrive in the order in which they were
 * added and started. To be called before the first start; receives before sends. */
sr_status sr_transfer_receive(sr_transfer *transfer, const sr_stretch *stretch, int64_t n, int from);
sr_status sr_transfer_send(sr_transfer *transfer, const sr_stretch *stretch, int64_t n, int to);

/* Starts all messages; their memory belongs to the transfer until it has ended. */
sr_status sr_transfer_start(sr_transfer *transfer);

/* Makes progress; returns at once. */
sr_status sr_transfer_poll(sr_transfer *transfer);

/* Waits for the end. */
sr_status sr_transfer_wait(sr_transfer *transfer);

#endif
