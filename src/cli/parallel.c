#include "parallel.h"

#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "exits.h"
#include "job/world.h"
#include "launcher.h"

/* Starts MPI. Returns 0, or the exit status after one process has said why it cannot be had. */
static int start(void) {
  int provided = MPI_THREAD_SINGLE;
  sr_launcher_hint_mpi();
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS || provided < MPI_THREAD_FUNNELED) {
    if (sr_launcher_rank() <= 0)
      fprintf(stderr, "seqring: this MPI library cannot be started with MPI_THREAD_FUNNELED\n");
    return 1;
  }
  return 0;
}

/* Ends it: status, which the ranks agree on, is explained by rank 0, and standard output is seen to have arrived. After
 * SR_ERR_MPI, of which one rank alone may know, ends the processes of the whole job. Returns the exit status. */
static int finish(int rank, sr_status status) {
  bool speak = rank == 0;
  if (status == SR_ERR_MPI && !speak) fprintf(stderr, "seqring: rank %d: %s\n", rank, sr_error_text());
  int code = sr_exit_printed(sr_exit_explained(status, speak), speak);
  fflush(stderr);
  if (status == SR_ERR_MPI) MPI_Abort(MPI_COMM_WORLD, code);
  MPI_Finalize();
  return code;
}

static sr_status prepare(const sr_parallel *command) {
  return command->prepare ? command->prepare(command->data) : SR_OK;
}

/* Everything between MPI_Init and MPI_Finalize. mine is what the preparation came to on those that were prepared. */
static sr_status run_under_mpi(const sr_parallel *command, bool prepared, sr_status mine, int *rank) {
  MPI_Comm comm;
  SR_TRY(sr_world_open(&comm, rank));
  if (*rank == 0 && !prepared)
    mine = prepare(command); /* the variables were of a launcher that did not start this job */
  sr_status status = sr_world_share(comm, mine, command->shared, command->shared_size);
  if (status == SR_OK) status = command->run(command->data, comm, *rank);
  if (status != SR_ERR_MPI) status = sr_world_agree(comm, status);
  if (status != SR_ERR_MPI) sr_world_close(&comm);
  return status;
}

static void end(const sr_parallel *command) {
  if (command->end) command->end(command->data);
}

int sr_parallel_run(const sr_parallel *command) {
  const int place = sr_launcher_rank();
  const bool prepared = place <= 0;
  int rank = 0;
  sr_status status = prepared ? prepare(command) : SR_OK;
  if (place < 0 && status != SR_OK) { /* alone */
    end(command);
    return sr_exit_explained(status, true);
  }
  const int code = start();
  if (!code) status = run_under_mpi(command, prepared, status, &rank);
  end(command);
  return code ? code : finish(rank, status);
}

int sr_parallel_refuse(sr_status status) {
  sr_exit_explained(status, sr_launcher_rank() <= 0);
  sr_launcher_stand_back();
  return sr_exit_of(status);
}
