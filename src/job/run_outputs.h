/* The datasets that the job run can make. */
#ifndef SR_JOB_RUN_OUTPUTS_H
#define SR_JOB_RUN_OUTPUTS_H

#include <seqring/io.h>

typedef enum sr_run_output {
  SR_RUN_TOKENS,    /* [tokens] int32: ids */
  SR_RUN_OFFSETS,   /* [tokens] int64: first byte of each, counted over all texts */
  SR_RUN_LOGPROB,   /* [tokens - 1] float32: of token t + 1 after the ones before it; NaN where a document begins */
  SR_RUN_HIDDEN,    /* [tokens, width] float32: after the final normalisation, or after a layer */
  SR_RUN_EMBEDDING, /* [units, width] float32: of each unit of the text */
  SR_RUN_SURPRISE,  /* [units] float32: mean of -logprob over the unit's tokens, in nats; NaN where none has one */
  SR_RUN_UNITS,     /* [units] int64: first byte of each */
  SR_RUN_Q,         /* [tokens, heads, head_width] float32: of a layer, as its attention reads them */
  SR_RUN_K,         /* [tokens, kv_heads, head_width] */
  SR_RUN_V,         /* [tokens, kv_heads, head_width] */
  SR_RUN_OUTPUTS
} sr_run_output;

/* Some of them, as a bit each. */
static inline int sr_run_bit(sr_run_output output) {
  return 1 << output;
}

/* What their dimensions depend on. */
typedef struct sr_run_shape {
  int64_t tokens, units, width, heads, kv_heads, head_width;
} sr_run_shape;

/* The name of an output, also on the command line. */
const char *sr_run_output_name(sr_run_output output);

/* Lists the datasets of some outputs; place[output] is where each is in the list, or -1. Returns how many there are. */
int sr_run_datasets(int outputs, const sr_run_shape *shape, sr_output_dataset dataset[SR_RUN_OUTPUTS],
                    int place[SR_RUN_OUTPUTS]);

#endif
