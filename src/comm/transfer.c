#include "transfer.h"

#include <stdlib.h>

#include "base/error.h"
#include "comm.h"

enum { PIECE = 4 << 20, TAG = 1 };

struct sr_transfer {
  MPI_Comm comm;
  uint64_t max_bytes;
  int pending; /* requests of the exchange under way */
  MPI_Request request[];
};

static uint64_t pieces(uint64_t bytes) {
  return bytes / PIECE + (bytes % PIECE != 0);
}

uint64_t sr_transfer_workspace(uint64_t max_bytes) {
  return sizeof(sr_transfer) + 2 * pieces(max_bytes) * sizeof(MPI_Request);
}

sr_status sr_transfer_create(MPI_Comm comm, uint64_t max_bytes, sr_transfer **transfer) {
  *transfer = NULL;
  if (2 * pieces(max_bytes) > INT32_MAX) return sr_fail(SR_ERR_ARGUMENT, "a KV shard of %.3g bytes", (double)max_bytes);
  sr_transfer *t = malloc(sr_transfer_workspace(max_bytes));
  if (!t) return sr_fail(SR_ERR_RESOURCE, "no memory for the requests of a transfer");
  *t = (sr_transfer){.comm = comm, .max_bytes = max_bytes};
  *transfer = t;
  return SR_OK;
}

void sr_transfer_destroy(sr_transfer **transfer) {
  free(*transfer);
  *transfer = NULL;
}

static int piece(uint64_t bytes, uint64_t at) {
  return (int)(bytes - at < PIECE ? bytes - at : PIECE);
}

sr_status sr_transfer_start(sr_transfer *t, void *recv, uint64_t recv_bytes, int from, const void *send,
                            uint64_t send_bytes, int to) {
  if (recv_bytes > t->max_bytes || send_bytes > t->max_bytes || t->pending)
    return sr_fail(SR_ERR_INTERNAL, "a transfer that does not fit");
  for (uint64_t at = 0; at < recv_bytes; at += PIECE)
    SR_TRY(sr_mpi(
        MPI_Irecv((char *)recv + at, piece(recv_bytes, at), MPI_BYTE, from, TAG, t->comm, &t->request[t->pending++]),
        "MPI_Irecv"));
  for (uint64_t at = 0; at < send_bytes; at += PIECE)
    SR_TRY(sr_mpi(MPI_Isend((const char *)send + at, piece(send_bytes, at), MPI_BYTE, to, TAG, t->comm,
                            &t->request[t->pending++]),
                  "MPI_Isend"));
  return SR_OK;
}

sr_status sr_transfer_poll(sr_transfer *t) {
  if (!t->pending) return SR_OK;
  int done = 0;
  SR_TRY(sr_mpi(MPI_Testall(t->pending, t->request, &done, MPI_STATUSES_IGNORE), "MPI_Testall"));
  if (done) t->pending = 0;
  return SR_OK;
}

sr_status sr_transfer_wait(sr_transfer *t) {
  int pending = t->pending;
  t->pending = 0;
  return pending ? sr_mpi(MPI_Waitall(pending, t->request, MPI_STATUSES_IGNORE), "MPI_Waitall") : SR_OK;
}
