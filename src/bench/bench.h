/* Measuring attention beside what the machine can do.
 *
 * Every round measures, one behind the other and on the same threads, multiply-adds in registers, a large matrix
 * product, for few queries plain reading of k and v, and attention itself: the clock of a shared machine wanders, and a
 * ratio is of what was measured within one second. Of several ranks all run at once; rates are added up, and a round
 * takes as long as its slowest rank.
 */
#ifndef SR_BENCH_BENCH_H
#define SR_BENCH_BENCH_H

#include <mpi.h>

#include <seqring/plan.h>

#include "figure.h"
#include "job/events.h"
#include "sweep.h"

typedef struct sr_bench_method {
  int repeat, warmup; /* rounds that count, and before them */
  int64_t verify;     /* queries recomputed in float64 */
  uint64_t seed;
} sr_bench_method;

/* What was measured of one case. Rates are in 1e9 a second. The same on every rank, but for plan. */
typedef struct sr_bench_line {
  sr_case what;
  sr_plan_info plan;
  sr_figure seconds; /* of one forward */
  sr_figure waiting; /* share of that in which a rank waits, of the rank that waits longest */
  double gflops;     /* useful operations over the median of seconds */
  sr_figure peak, gemm;
  sr_figure of_peak, of_gemm; /* of the rounds' ratios */
  bool is_decode;             /* what follows was measured */
  double kv_bytes;            /* of the k and v that some query sees, in their own type */
  double kv_rate;             /* these over the median of seconds */
  sr_figure read, of_read;
  sr_verify_result verify;
  bool is_wrong; /* further off than rounding explains */
} sr_bench_line;

typedef struct sr_bench sr_bench;

/* *bench is NULL on failure. Not collective. Errors: SR_ERR_RESOURCE. */
sr_status sr_bench_open(MPI_Comm comm, const sr_bench_method *method, sr_bench **bench);

/* Replaces 0 threads in every case by the number that suits the machine, and warns as sr_fit_warn does. Collective. */
sr_status sr_bench_place(MPI_Comm comm, sr_list *threads, const sr_job_events *events);

/* Refuses a case that so many ranks cannot do, whatever their memory, before any is measured. Collective. Errors:
 * SR_ERR_ARGUMENT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_bench_check(MPI_Comm comm, const sr_case *what);

/* Measures one case that sr_bench_check takes. A wrong result is no failure, but marked. Collective; after SR_ERR_MPI
 * the communicator is unusable and bench must not be closed. Errors: SR_ERR_ARGUMENT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_bench_run(sr_bench *bench, const sr_case *what, sr_bench_line *line);

/* Frees it and sets it to NULL; accepts a NULL bench. Not collective. */
void sr_bench_close(sr_bench **bench);

#endif
