/* One exchange of blocks between neighbours, in flight while the caller computes.
 *
 * Blocks are cut into pieces, so that no count passes int and progress is made piece by piece; receives are posted
 * before sends. Open MPI moves data only inside MPI calls: whoever waits for a transfer calls sr_transfer_poll now and
 * then.
 */
#ifndef SR_COMM_TRANSFER_H
#define SR_COMM_TRANSFER_H

#include <mpi.h>
#include <stdint.h>

#include <seqring/status.h>

typedef struct sr_transfer sr_transfer;

/* Room for exchanges of at most max_bytes each way over comm, which must outlive it. *transfer is NULL on failure. Not
 * collective. */
sr_status sr_transfer_create(MPI_Comm comm, uint64_t max_bytes, sr_transfer **transfer);
void sr_transfer_destroy(sr_transfer **transfer);

/* Bytes that a transfer of this size allocates. */
uint64_t sr_transfer_workspace(uint64_t max_bytes);

/* Starts to receive from one rank and send to another. Both buffers belong to the transfer until it has ended. */
sr_status sr_transfer_start(sr_transfer *transfer, void *recv, uint64_t recv_bytes, int from, const void *send,
                            uint64_t send_bytes, int to);

/* Makes progress; returns at once. */
sr_status sr_transfer_poll(sr_transfer *transfer);

/* Waits for the end. */
sr_status sr_transfer_wait(sr_transfer *transfer);

#endif
