/* Checks of MPI tests: they survive release builds, name what failed once a place, and make every rank's exit status 1.
 */
#ifndef TESTS_MPI_CHECK_H
#define TESTS_MPI_CHECK_H

#include <mpi.h>
#include <stdio.h>

static int checks_failed;

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    static int said;                                                                                                   \
    if (!(condition)) {                                                                                                \
      checks_failed = 1;                                                                                               \
      if (!said++) fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                     \
    }                                                                                                                  \
  } while (0)

/* Ends MPI; every rank gets the same exit status. */
static inline int finish_checks(void) {
  MPI_Allreduce(MPI_IN_PLACE, &checks_failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  MPI_Finalize();
  return checks_failed;
}

#endif
