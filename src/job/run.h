/* The job run: a text through a model, from file to file. */
#ifndef SR_JOB_RUN_H
#define SR_JOB_RUN_H

#include "attend.h"
#include "model/saved.h"

/* Datasets of the output, as bits. */
typedef enum sr_run_outputs {
  SR_RUN_TOKENS = 1,  /* [N] int32 */
  SR_RUN_OFFSETS = 2, /* [N] int64, in bytes */
  SR_RUN_LOGPROB = 4, /* [N - 1] float32: of token t + 1 after the first t + 1 tokens */
  SR_RUN_HIDDEN = 8   /* [N, width] float32, after the final normalisation */
} sr_run_outputs;

typedef struct sr_run_job {
  const char *model, *text, *output;
  int64_t limit; /* tokens that are read at most, 0: all */
  int outputs;   /* of sr_run_outputs; 0: what the model is for */
  int threads;   /* 0: automatic */
  sr_attend_events events;
} sr_run_job;

typedef struct sr_run_report {
  int64_t tokens;
  int ranks, threads;
  uint64_t weight_bytes;                                  /* once a node */
  sr_spread rank_bytes, load, forward, head, write, peak; /* bytes of activations, seconds, bytes */
  double wall_s;
  int outputs;
} sr_run_report;

/* Runs it. saved is open on rank 0, and is opened on the others; the caller closes it. Collective. Errors:
 * SR_ERR_INPUT, SR_ERR_ARGUMENT, SR_ERR_OUTPUT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_run_text(MPI_Comm comm, const sr_run_job *job, sr_saved *saved, sr_run_report *report);

#endif
