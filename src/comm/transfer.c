#include "transfer.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "comm.h"

enum { TAG = 1 };

struct sr_transfer {
  MPI_Comm comm;
  uint64_t piece;
  bool in_flight;
  int n, room;
  MPI_Request *request; /* [n], persistent */
};

sr_status sr_transfer_create(MPI_Comm comm, uint64_t piece, sr_transfer **transfer) {
  const uint64_t most = (uint64_t)sr_comm_count_limit();
  *transfer = calloc(1, sizeof **transfer);
  if (!*transfer) return sr_fail(SR_ERR_RESOURCE, "no memory for a transfer");
  **transfer = (sr_transfer){.comm = comm, .piece = piece < most ? piece : most};
  return SR_OK;
}

void sr_transfer_destroy(sr_transfer **transfer) {
  sr_transfer *t = *transfer;
  *transfer = NULL;
  if (!t) return;
  for (int i = 0; i < t->n; i++) MPI_Request_free(&t->request[i]);
  free(t->request);
  free(t);
}

static sr_status make_room(sr_transfer *t) {
  if (t->n < t->room) return SR_OK;
  const int room = t->room ? 2 * t->room : 4;
  MPI_Request *moved = t->room < INT32_MAX / 2 ? realloc(t->request, (size_t)room * sizeof *moved) : NULL;
  if (!moved) return sr_fail(SR_ERR_RESOURCE, "no memory for the requests of a transfer");
  t->request = moved, t->room = room;
  return SR_OK;
}

/* One message in the making. */
typedef struct message {
  sr_transfer *transfer;
  int rank;
  bool sends;
} message;

static sr_status add_request(const message *m, void *at, int count, MPI_Datatype type) {
  sr_transfer *t = m->transfer;
  SR_TRY(make_room(t));
  SR_TRY(m->sends ? sr_mpi(MPI_Send_init(at, count, type, m->rank, TAG, t->comm, &t->request[t->n]), "MPI_Send_init")
                  : sr_mpi(MPI_Recv_init(at, count, type, m->rank, TAG, t->comm, &t->request[t->n]), "MPI_Recv_init"));
  t->n++;
  return SR_OK;
}

/* A piece that lies in several stretches. */
static sr_status add_scattered(const message *m, const sr_stretch *part, int n) {
  int *length = malloc((size_t)n * sizeof *length);
  MPI_Aint *place = malloc((size_t)n * sizeof *place);
  sr_status status = length && place ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory for a scattered message");
  for (int i = 0; i < n && status == SR_OK; i++) {
    length[i] = (int)part[i].bytes;
    status = sr_mpi(MPI_Get_address(part[i].at, &place[i]), "MPI_Get_address");
  }
  MPI_Datatype type = MPI_DATATYPE_NULL;
  if (status == SR_OK)
    status = sr_mpi(MPI_Type_create_hindexed(n, length, place, MPI_BYTE, &type), "MPI_Type_create_hindexed");
  if (status == SR_OK) status = sr_mpi(MPI_Type_commit(&type), "MPI_Type_commit");
  if (status == SR_OK) status = add_request(m, MPI_BOTTOM, 1, type);
  if (type != MPI_DATATYPE_NULL) MPI_Type_free(&type); /* the request keeps it */
  free(length), free(place);
  return status;
}

static sr_status add_piece(const message *m, const sr_stretch *part, int n) {
  return n == 1 ? add_request(m, part->at, (int)part->bytes, MPI_BYTE) : add_scattered(m, part, n);
}

/* Both sides cut alike where their stretches differ: a piece ends where it is full, and only there. part has room for
 * n. */
static sr_status cut(const message *m, const sr_stretch *stretch, int64_t n, sr_stretch *part) {
  const uint64_t piece = m->transfer->piece;
  uint64_t filled = 0;
  int parts = 0;
  for (int64_t i = 0; i < n; i++)
    for (uint64_t done = 0; done < stretch[i].bytes;) {
      const uint64_t left = stretch[i].bytes - done, bytes = left < piece - filled ? left : piece - filled;
      part[parts++] = (sr_stretch){stretch[i].at + done, bytes};
      done += bytes, filled += bytes;
      if (filled < piece) continue;
      SR_TRY(add_piece(m, part, parts));
      parts = 0, filled = 0;
    }
  return parts > 0 ? add_piece(m, part, parts) : SR_OK;
}

static sr_status add_message(const message *m, const sr_stretch *stretch, int64_t n) {
  sr_stretch *part = malloc((size_t)n * sizeof *part);
  sr_status status = part || n == 0 ? cut(m, stretch, n, part) : sr_fail(SR_ERR_RESOURCE, "no memory for a message");
  free(part);
  return status;
}

sr_status sr_transfer_receive(sr_transfer *t, const sr_stretch *stretch, int64_t n, int from) {
  return add_message(&(message){t, from, false}, stretch, n);
}

sr_status sr_transfer_send(sr_transfer *t, const sr_stretch *stretch, int64_t n, int to) {
  return add_message(&(message){t, to, true}, stretch, n);
}

sr_status sr_transfer_start(sr_transfer *t) {
  if (t->n == 0) return SR_OK;
  /* One by one: MPI_Startall starts in any order, in which pieces of a message would be matched. */
  for (int i = 0; i < t->n; i++) SR_TRY(sr_mpi(MPI_Start(&t->request[i]), "MPI_Start"));
  t->in_flight = true;
  return SR_OK;
}

sr_status sr_transfer_poll(sr_transfer *t) {
  if (!t->in_flight) return SR_OK;
  int done = 0;
  SR_TRY(sr_mpi(MPI_Testall(t->n, t->request, &done, MPI_STATUSES_IGNORE), "MPI_Testall"));
  if (done) t->in_flight = false;
  return SR_OK;
}

sr_status sr_transfer_wait(sr_transfer *t) {
  if (!t->in_flight) return SR_OK;
  t->in_flight = false;
  return sr_mpi(MPI_Waitall(t->n, t->request, MPI_STATUSES_IGNORE), "MPI_Waitall");
}
