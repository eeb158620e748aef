/* The strategies in which keys and values travel: a schedule's steps, one after the other. */
#ifndef SR_PLAN_TRAVEL_H
#define SR_PLAN_TRAVEL_H

#include "plan.h"

/* Makes the transfers of a plan whose buffers are there. Not collective. Errors: SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_plan_make_transfers(sr_plan *plan);

/* Fills in o and lse of this rank's rows, and the stats. Collective. Errors: SR_ERR_NONFINITE, SR_ERR_MPI. */
sr_status sr_plan_travel(sr_plan *plan, const sr_tensors *tensors);

#endif
