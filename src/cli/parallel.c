#include "parallel.h"

#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>

#include "exits.h"
#include "launcher.h"

int sr_parallel_refuse(sr_status status) {
  sr_exit_explained(status, sr_launcher_rank() <= 0);
  sr_launcher_stand_back();
  return sr_exit_of(status);
}

int sr_parallel_start(void) {
  int provided = MPI_THREAD_SINGLE;
  sr_launcher_hint_mpi();
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS || provided < MPI_THREAD_FUNNELED) {
    if (sr_launcher_rank() <= 0)
      fprintf(stderr, "seqring: this MPI library cannot be started with MPI_THREAD_FUNNELED\n");
    return 1;
  }
  return 0;
}

int sr_parallel_finish(int rank, sr_status status) {
  bool speak = rank == 0;
  if (status == SR_ERR_MPI && !speak) fprintf(stderr, "seqring: rank %d: %s\n", rank, sr_error_text());
  int code = sr_exit_printed(sr_exit_explained(status, speak), speak);
  fflush(stderr);
  if (status == SR_ERR_MPI) MPI_Abort(MPI_COMM_WORLD, code);
  MPI_Finalize();
  return code;
}
