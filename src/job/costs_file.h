/* What things cost on the machine of a job: measured, or read from a file in which an earlier job kept it. */
#ifndef SR_JOB_COSTS_FILE_H
#define SR_JOB_COSTS_FILE_H

#include <seqring/costs.h>

/* A job that is expected to be shorter, by the default costs, is over before the right ones are known: seconds. */
static const double sr_costs_worth_s = 0.3;

/* Reads the costs from path where that names a file that holds those of all links that comm has: inside nodes, and
 * between them. Else measures them on comm, with so many threads a rank, and keeps them there unless path is "", beside
 * what the file holds of links that comm does not have. The same on every rank. Collective. Errors: SR_ERR_INPUT (a
 * file of another kind), SR_ERR_OUTPUT, those of sr_costs_measure. */
sr_status sr_costs_find(MPI_Comm comm, const char *path, int threads, sr_costs *costs);

#endif
