/* One rank's numbers made into the job's. */
#ifndef SR_JOB_REPORT_H
#define SR_JOB_REPORT_H

#include "attend.h"
#include "base/distribution.h"

/* Whether the groups that are named make up the ranks of comm: a plan is told of the ranks of a group alone. Errors:
 * SR_ERR_ARGUMENT, SR_ERR_MPI. */
sr_status sr_strategy_fits(MPI_Comm comm, const sr_strategy_words *words);

/* Lets a later plan of the same problem take the way that an estimate has chosen, without looking at the others again.
 */
void sr_strategy_keep(const sr_plan_info *chosen, sr_options *options);

/* The strategy of a plan, as an option would name it. */
void sr_strategy_of(const sr_plan_info *plan, char text[SR_STRATEGY_TEXT]);

/* Fills in what is known before the run: rows, memory, bytes to send. report->plan is set. Collective. */
sr_status sr_report_plan(MPI_Comm comm, sr_attend_report *report);

/* What one rank measured. */
typedef struct sr_measured {
  sr_plan_stats plan;
  double read_s, write_s, wall_s;
} sr_measured;

/* Fills in where all ranks are. Collective. Errors: SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_report_places(MPI_Comm comm, const sr_placement *mine, sr_attend_report *report);

/* Fills in the steps of a plan's last forward. Collective. Errors: SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_report_steps(MPI_Comm comm, const sr_plan *plan, sr_attend_report *report);

/* Fills in what is known after it. Collective. */
sr_status sr_report_run(MPI_Comm comm, const sr_measured *mine, int64_t q_len, sr_attend_report *report);

#endif
