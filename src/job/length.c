#include "length.h"

#include <inttypes.h>
#include <stdio.h>

void sr_length_warn(const sr_stack *stack, const sr_mask *mask, int64_t tokens, sr_warning_fn *warning, void *data) {
  char text[256];
  if (stack->causal && mask->window_left >= 0 && mask->window_left + 1 < tokens && mask->sinks == 0)
    warning(
        data,
        "a window without sinks: models that were not trained with one predict badly from where it leaves the first "
        "tokens behind; --sinks 4 keeps these in sight");
  snprintf(text, sizeof text,
           "%" PRId64 " tokens side by side, and the model was trained on up to %" PRId64
           ": without a window its predictions get worse",
           tokens, stack->context);
  if (stack->context == 0 || tokens <= stack->context) return;
  if (stack->causal && mask->window_left >= stack->context)
    warning(data, "the window is wider than what the model was trained on: behind that its predictions get worse");
  if (mask->window_left < 0) warning(data, text);
}
