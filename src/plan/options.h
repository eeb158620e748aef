/* What options a caller may ask for. */
#ifndef SR_PLAN_OPTIONS_H
#define SR_PLAN_OPTIONS_H

#include <seqring/plan.h>

/* Checks all of them, and the position of query 0 alone. Not collective. Errors: SR_ERR_ARGUMENT. */
sr_status sr_options_check(const sr_options *options);
sr_status sr_options_check_position(int64_t q_start);

#endif
