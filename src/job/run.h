/* The job run: a text through a model, from file to file. */
#ifndef SR_JOB_RUN_H
#define SR_JOB_RUN_H

#include "events.h"
#include "model/saved.h"
#include "ranking.h"
#include "reading.h"
#include "run_outputs.h"
#include "spread.h"

typedef struct sr_run_job {
  const char *model, *output;
  const char *texts;     /* of sr_text_open */
  const char *source;    /* what the encoder of a model with a decoder reads, likewise, or "" */
  sr_cut document, unit; /* as in sr_reading_request */
  int64_t limit;         /* tokens that are read at most, 0: all */
  sr_mask mask;          /* its window and sinks */
  int64_t overlap;       /* tokens that chunks of too long documents share; -1: such documents are refused */
  int outputs;           /* bits of sr_run_output; 0: what the model is for */
  int64_t layer;         /* of hidden, q, k and v, from 0; -1: hidden is that of all layers */
  const char *questions; /* of sr_text_open, a question a line, or "" */
  int64_t top;           /* units that are reported: the most surprising ones, or the nearest ones of each question */
  int threads;           /* 0: automatic */
  const char *machine;   /* file of costs, as in sr_costs_find, or "" */
  bool dry_run;          /* plan, report, and stop */
  sr_job_events events;
} sr_run_job;

/* The same on every rank, but for plan and top. A dry run fills it in as far as memory. */
typedef struct sr_run_report {
  int64_t tokens, documents, units;
  int64_t chunks; /* that documents are read in */
  int ranks, threads;
  int outputs;
  sr_plan_info plan;                              /* of a layer's attention */
  uint64_t weights;                               /* bytes, once a node */
  sr_spread text, activations, attention, shared; /* bytes: tokens and results; of sr_stack_need */
  sr_spread memory;                               /* all that a rank uses, the weights included */
  sr_spread load_s, forward_s, head_s, write_s;
  sr_spread peak; /* largest resident bytes of a rank's process */
  double wall_s;
  int64_t n_top;
  sr_run_unit *top; /* rank 0 */
  int64_t n_questions;
  sr_span *question; /* [n_questions] rank 0: their bytes */
} sr_run_report;

void sr_run_report_free(sr_run_report *report);

/* Runs it. saved is open on rank 0, and is opened on the others; the caller closes it. Collective. Errors:
 * SR_ERR_INPUT, SR_ERR_ARGUMENT, SR_ERR_OUTPUT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_run_text(MPI_Comm comm, const sr_run_job *job, sr_saved *saved, sr_run_report *report);

#endif
