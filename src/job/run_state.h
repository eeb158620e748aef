/* The inside of the job run. */
#ifndef SR_JOB_RUN_STATE_H
#define SR_JOB_RUN_STATE_H

#include "encoding.h"
#include "fit.h"
#include "model/stack.h"
#include "questions.h"
#include "run.h"
#include "units.h"

typedef struct sr_run_state {
  MPI_Comm comm;
  int rank;
  const sr_run_job *job;
  sr_saved *saved;
  sr_run_report *report;
  sr_fit fit;
  const sr_costs *costs; /* NULL: the default ones */
  sr_costs measured;
  const char *name; /* of the stack */
  const sr_stack *stack;
  sr_encoding encoding;
  sr_reading reading;
  sr_chunks chunks; /* of it */
  sr_questions questions;
  sr_store store;
  sr_stack_run *layers;
  double own_bytes, shared_bytes; /* that it will take of memory: this rank, and its node's ranks in common */
  sr_rows rows;                   /* of the chunks' tokens */
  int64_t n_held;                 /* runs of these that are written */
  sr_held *held;
  int32_t *next; /* [rows] the token behind each, or -1 */
  float *logprob;
  sr_pooled embedding, surprise;
  sr_output *output;
  int place[SR_RUN_OUTPUTS]; /* of each dataset in the output, or -1 */
  double load_s, forward_s, head_s, write_s;
} sr_run_state;

/* Whether an output is made, and whether one that predictions are needed for. */
bool sr_run_makes(const sr_run_state *r, sr_run_output output);
bool sr_run_predicts(const sr_run_state *r);

/* What is decided before anything is computed (run_plan.c): the outputs, the text's tokens, and what all takes of
 * memory. But for the first, and for warnings, all are collective. */
sr_status sr_run_choose(sr_run_state *r);
sr_status sr_run_read(sr_run_state *r);
void sr_run_warn_of_length(sr_run_state *r);
sr_stack_spec sr_run_spec(const sr_run_state *r);
sr_status sr_run_estimate(sr_run_state *r);
sr_status sr_run_check_memory(const sr_run_state *r);

/* What becomes of it (run_results.c): the output; its datasets of a layer, as soon as they are there, and all others;
 * and units that are reported. All are collective. */
sr_status sr_run_create_output(sr_run_state *r);
sr_status sr_run_write_layer(sr_run_state *r);
sr_status sr_run_write_results(sr_run_state *r);
sr_status sr_run_find_top(sr_run_state *r);

#endif
