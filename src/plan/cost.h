/* How long a decision will take, by what things cost. */
#ifndef SR_PLAN_COST_H
#define SR_PLAN_COST_H

#include <seqring/costs.h>

#include "decision.h"

/* Seconds of one forward on this rank, if no other lets it wait for long. */
double sr_cost_seconds(const sr_decision *d, const sr_site *site, const sr_costs *costs);

#endif
