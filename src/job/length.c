#include "length.h"

#include <inttypes.h>
#include <stdio.h>

static void warn_of_window(const sr_stack *stack, const sr_mask *mask, int64_t tokens, const sr_job_events *events,
                           int rank) {
  if (mask->window_left + 1 < tokens && mask->sinks == 0)
    sr_job_warn(events, rank,
                "a window without sinks: models that were not trained with one predict badly from where it leaves the "
                "first tokens behind; --sinks 4 keeps these in sight");
  if (stack->context > 0 && tokens > stack->context && mask->window_left >= stack->context)
    sr_job_warn(events, rank,
                "the window is wider than what the model was trained on: behind that its predictions get worse");
}

void sr_length_warn(const sr_stack *stack, const sr_mask *mask, int64_t tokens, const sr_job_events *events, int rank) {
  char text[256];
  if (stack->causal && mask->window_left >= 0) warn_of_window(stack, mask, tokens, events, rank);
  if (stack->context == 0 || tokens <= stack->context || mask->window_left >= 0) return;
  snprintf(text, sizeof text,
           "%" PRId64 " tokens side by side, and the model was trained on up to %" PRId64
           ": without a window its predictions get worse",
           tokens, stack->context);
  sr_job_warn(events, rank, text);
}
