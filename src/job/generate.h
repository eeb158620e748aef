/* The job generate: a decoder goes on after a text. */
#ifndef SR_JOB_GENERATE_H
#define SR_JOB_GENERATE_H

#include "events.h"
#include "model/sample.h"
#include "model/saved.h"
#include "spread.h"

/* A token that was chosen, and its bytes; rank 0. Returns whether more are wanted. */
typedef bool sr_token_fn(void *data, int32_t token, const uint8_t *bytes, int64_t n);

typedef struct sr_generate_job {
  const char *model;
  const char *texts;  /* of sr_text_open; "": nothing is there yet, for a model with an encoder */
  const char *source; /* what its encoder reads, likewise, or "" */
  int64_t limit;      /* tokens that are read at most, 0: all */
  int64_t tokens;     /* that are made at most */
  sr_mask mask;       /* its window and sinks */
  sr_sampling sampling;
  int threads; /* 0: automatic */
  sr_job_events events;
  sr_token_fn *token; /* with the data of events */
} sr_generate_job;

typedef struct sr_generate_report {
  int64_t read, made;    /* tokens */
  double read_s, made_s; /* seconds, the weights being loaded */
  sr_spread peak;        /* largest resident bytes of a rank's process */
} sr_generate_report;

/* Goes on until the model's end token, or as far as it may. saved is as for sr_run_text. Collective. Errors:
 * SR_ERR_INPUT, SR_ERR_ARGUMENT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_generate_text(MPI_Comm comm, const sr_generate_job *job, sr_saved *saved, sr_generate_report *report);

#endif
