/* The file-to-file attention job: q, k and v from one HDF5 file, o and lse to another. */
#ifndef SR_JOB_ATTEND_H
#define SR_JOB_ATTEND_H

#include <seqring/io.h>
#include <seqring/plan.h>

#include "base/distribution.h"
#include "events.h"
#include "placement.h"
#include "spread.h"

/* What is to be done. Every rank passes the same values, but for events. */
typedef struct sr_attend_job {
  const sr_input_info *input;
  const char *output; /* unused by a dry run */
  sr_mask mask;
  double scale; /* NaN: 1 / sqrt(head_dim) */
  sr_products products;
  sr_strategy_words strategy;
  sr_balance balance;
  const char *machine; /* file that keeps what things cost here; "": none */
  bool no_overlap;
  uint64_t piece_bytes; /* 0: that of sr_options */
  bool out_dtype_given; /* else o is float64 for float64 input and float32 otherwise */
  sr_dtype out_dtype;
  bool refuse_nonfinite;
  int threads;    /* of a rank; 0: see sr_placement_find */
  int64_t verify; /* queries to recompute in float64, 0: none */
  uint64_t verify_seed;
  bool dry_run; /* plan, report, and stop */
  sr_job_events events;
} sr_attend_job;

/* One step of a job. */
typedef struct sr_step_report {
  sr_spread work_s, wait_s; /* of the ranks */
  double sent;              /* bytes, over all ranks */
} sr_step_report;

/* Ways to do a job that a dry run shows. */
enum { SR_CHOICES_SHOWN = 12 };

/* What was done. The same on every rank, but for plan. A dry run fills in plan to choice. */
typedef struct sr_attend_report {
  sr_plan_info plan; /* of this rank */
  sr_dtype out_dtype;
  sr_spread q_rows;    /* queries a rank holds */
  sr_spread workspace; /* bytes a rank's plan allocates */
  sr_spread shared;    /* bytes that it shares with others of its node */
  sr_spread tensors;   /* bytes of a rank's q, k, v, o and lse */
  sr_spread memory;    /* workspace, tensors, and what it touches of what is shared */
  sr_spread sent;      /* KV bytes a rank sends */
  sr_spread far;       /* of these, to other nodes */
  int n_choices;       /* ways that were open; the one that is taken first, then by time */
  sr_plan_choice choice[SR_CHOICES_SHOWN];
  sr_spread read_s, attention_s, wait_s, write_s;
  sr_placement *place; /* [ranks] on rank 0 */
  int64_t n_steps;     /* of the rank that has most */
  sr_step_report *step;
  double wall_s;               /* of the whole job */
  double tokens_per_s, gflops; /* q_len, and the job's operations, over the longest attention_s */
  sr_spread peak;              /* largest resident bytes of a rank's process */
  int64_t nonfinite;           /* NaN and Inf that some query may see */
  sr_verify_result verify;     /* when asked for */
  uint64_t output_bytes;       /* size of the finished file */
} sr_attend_report;

/* Runs the job. A failure is the same on every rank and leaves no output; after SR_ERR_MPI the communicator is unusable
 * and the memory of the job is not freed. Collective. Errors: any. */
sr_status sr_attend_run(MPI_Comm comm, const sr_attend_job *job, sr_attend_report *report);

/* Frees what a report holds, also after a failure. Not collective. */
void sr_attend_report_free(sr_attend_report *report);

#endif
