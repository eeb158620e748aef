/* What work and messages cost on a machine: what a plan foretells its time by, and chooses a strategy. */
#ifndef SEQRING_COSTS_H
#define SEQRING_COSTS_H

#include <mpi.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Messages between ranks, while all of them send and receive at once. */
typedef struct sr_link {
  double latency_s;         /* seconds of a message without bytes */
  double s_per_byte;        /* and of each byte */
  double hidden_s_per_byte; /* by which a byte sent and one received delay a rank that computes meanwhile */
} sr_link;

typedef struct sr_costs {
  double flops;           /* float32 operations a second of multiply-adds in registers, on the threads of one rank */
  double copy_s_per_byte; /* seconds a byte of copying memory, by one rank */
  sr_link inside;         /* between ranks of one node */
  sr_link between;        /* between ranks of different nodes */
} sr_costs;

/* Those of a common cluster: good enough to tell strategies apart that differ much. Not collective. */
void sr_costs_default(sr_costs *costs);

/* Whether they are finite and not negative, and flops is above 0. Not collective. Errors: SR_ERR_ARGUMENT. */
sr_status sr_costs_check(const sr_costs *costs);

/* Measures them on the ranks of comm, each with so many threads (0: OpenMP's own choice), in about half a second, or
 * over slow links in some twenty times as long as they take for 8 MiB. A link that no two ranks of comm have keeps its
 * default. The same on all ranks. Collective. Errors: SR_ERR_ARGUMENT (SEQRING_ISA), SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_costs_measure(MPI_Comm comm, int threads, sr_costs *costs);

#ifdef __cplusplus
}
#endif
#endif
