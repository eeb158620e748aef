#include "shared.h"

#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/error.h"
#include "base/memory.h"
#include "comm.h"

/* Bytes that ranks of this node can still share. */
static uint64_t free_room(void) {
  const char *folder = getenv("OMPI_MCA_osc_sm_backing_directory"); /* Open MPI keeps a file there */
  struct statvfs disk;
  if (statvfs(folder && *folder ? folder : "/dev/shm", &disk)) return 0;
  return (uint64_t)disk.f_bavail * disk.f_frsize;
}

/* The first rank's part is all there is. Its pages are aligned alike in all processes, and so is what is left out in
 * front. */
static sr_status open_window(MPI_Comm comm, uint64_t bytes, sr_shared *shared) {
  int rank, unit;
  void *mine, *first;
  MPI_Aint size;
  SR_TRY(sr_comm_rank(comm, &rank));
  const MPI_Aint part = rank == 0 ? (MPI_Aint)(bytes + SR_ALIGN) : 0;
  if (sr_mpi(MPI_Win_allocate_shared(part, 1, MPI_INFO_NULL, comm, &mine, &shared->window), "MPI_Win_allocate_shared"))
    return sr_fail(SR_ERR_RESOURCE, "Open MPI has no memory that the ranks of a node could share");
  SR_TRY(sr_mpi(MPI_Win_set_errhandler(shared->window, MPI_ERRORS_RETURN), "MPI_Win_set_errhandler"));
  SR_TRY(sr_mpi(MPI_Win_shared_query(shared->window, 0, &size, &unit, &first), "MPI_Win_shared_query"));
  SR_TRY(sr_mpi(MPI_Win_lock_all(MPI_MODE_NOCHECK, shared->window), "MPI_Win_lock_all"));
  shared->memory = (char *)first + (sr_align_up((uintptr_t)first) - (uintptr_t)first);
  return SR_OK;
}

/* Open MPI neither tells a full disk nor the lack of one. */
static sr_status check_room(uint64_t bytes) {
  const uint64_t room = free_room();
  if (bytes <= room) return SR_OK;
  return sr_fail(SR_ERR_RESOURCE, "%.2f GiB for the ranks of a node to share: there is room for %.2f GiB",
                 (double)bytes / 0x1p30, (double)room / 0x1p30);
}

sr_status sr_shared_create(MPI_Comm comm, uint64_t bytes, sr_shared *shared) {
  *shared = (sr_shared){.window = MPI_WIN_NULL};
  SR_TRY(sr_agree(comm, check_room(bytes)));
  return open_window(comm, bytes, shared);
}

void sr_shared_destroy(sr_shared *shared) {
  if (shared->window == MPI_WIN_NULL) return;
  if (shared->memory) MPI_Win_unlock_all(shared->window);
  MPI_Win_free(&shared->window);
  shared->memory = NULL;
}

sr_status sr_shared_room(MPI_Comm comm, int node, uint64_t *room) {
  MPI_Comm neighbours;
  sr_shared probe;
  char text[SR_ERROR_TEXT];
  SR_TRY(sr_comm_split(comm, node, &neighbours));
  sr_error_keep(text);
  sr_status status = sr_shared_create(neighbours, 1, &probe);
  *room = status == SR_OK ? free_room() : 0;
  if (status == SR_ERR_MPI) return status;
  sr_error_restore(text);
  sr_shared_destroy(&probe);
  sr_comm_free(&neighbours);
  return SR_OK;
}

sr_status sr_shared_meet(MPI_Comm comm, const sr_shared *shared) {
  SR_TRY(sr_mpi(MPI_Win_sync(shared->window), "MPI_Win_sync"));
  SR_TRY(sr_comm_barrier(comm));
  return sr_mpi(MPI_Win_sync(shared->window), "MPI_Win_sync");
}
