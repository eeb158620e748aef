/* Whether a text's length suits a model. */
#ifndef SR_JOB_LENGTH_H
#define SR_JOB_LENGTH_H

#include <seqring/mask.h>

#include "events.h"
#include "model/description.h"

/* Warns of a number of tokens side by side, and of a window, that are allowed and hardly ever meant. */
void sr_length_warn(const sr_stack *stack, const sr_mask *mask, int64_t tokens, const sr_job_events *events, int rank);

#endif
