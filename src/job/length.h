/* Whether a text's length suits a model. */
#ifndef SR_JOB_LENGTH_H
#define SR_JOB_LENGTH_H

#include <seqring/mask.h>

#include "fit.h"
#include "model/description.h"

/* Calls warning for a number of tokens side by side, and a window, that are allowed and hardly ever meant. */
void sr_length_warn(const sr_stack *stack, const sr_mask *mask, int64_t tokens, sr_warning_fn *warning, void *data);

#endif
