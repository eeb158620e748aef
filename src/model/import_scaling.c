/* Rotary positions of models that were made for longer texts than they were first trained on. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "import.h"

/* Divisor of a frequency, in radians a position: `factor` for the slow ones, 1 for the fast ones, and between them as
 * much of both as the turns within the first context say (Llama 3.1, as Hugging Face's transformers compute it). */
static double divisor(const sr_scaling *s, double frequency) {
  const double turns = s->context * frequency / (2 * M_PI);
  if (s->context == 0 || turns < s->low) return s->factor;
  if (turns > s->high) return 1;
  const double smooth = (turns - s->low) / (s->high - s->low);
  return 1 / ((1 - smooth) / s->factor + smooth);
}

sr_scaling sr_scaling_linear(double factor) {
  return (sr_scaling){.factor = factor};
}

sr_status sr_import_scale(sr_import *import, sr_scaling scaling) {
  sr_stack *s = &import->description.decoder;
  SR_TRY(sr_description_check(import->source.path, &import->description));
  const bool by_turns = scaling.context != 0 || scaling.low != 0 || scaling.high != 0;
  if (!(scaling.factor >= 1) || (by_turns && !(scaling.context >= 1 && scaling.low > 0 && scaling.high > scaling.low)))
    return sr_fail(SR_ERR_INPUT, "%s: how its frequencies are scaled is not possible", import->source.path);
  if (s->rotary_factors) return sr_fail(SR_ERR_INPUT, "%s: its frequencies are scaled twice", import->source.path);
  const int64_t n = s->rotary_width / 2;
  import->rotary_factors = calloc((size_t)n + 1, sizeof *import->rotary_factors);
  if (!import->rotary_factors) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to import it", import->source.path);
  for (int64_t i = 0; i < n; i++)
    import->rotary_factors[i] = (float)divisor(&scaling, pow(s->rotary_base, -(double)i / (double)n));
  s->rotary_factors = true;
  return SR_OK;
}
