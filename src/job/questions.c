#include "questions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "comm/comm.h"
#include "units.h"

/* Vectors that this rank has pooled, on all of them: bits that a rank has not are 0. */
static sr_status share(MPI_Comm comm, const sr_pooled *pooled, sr_questions *q) {
  const size_t row = (size_t)q->width * sizeof(float), bytes = (size_t)q->reading.units.n * row;
  q->vector = calloc(1, bytes + 1);
  SR_TRY(sr_agree_memory(comm, q->vector != NULL, "for questions"));
  for (int64_t i = 0; i < pooled->unit.n; i++)
    memcpy(q->vector + pooled->unit.number[i] * q->width, pooled->values + i * q->width, row);
  return sr_comm_or(comm, q->vector, bytes);
}

static sr_status pool(MPI_Comm comm, const sr_saved *saved, const sr_stack_run *run, sr_questions *q) {
  sr_pooled pooled = {0};
  sr_chunks whole;
  sr_status status = sr_agree(comm, sr_chunks_make(&q->reading, &saved->vocabulary, (sr_chunk_rule){0}, &whole));
  if (status == SR_OK) status = sr_units_embed(comm, &saved->description, &q->reading, &whole, run, q->width, &pooled);
  if (status == SR_OK) status = share(comm, &pooled, q);
  sr_pooled_free(&pooled);
  sr_chunks_free(&whole);
  return status;
}

/* The spec of another text's run, for the questions. */
static sr_stack_spec spec_of(const sr_questions *q, sr_stack_spec spec) {
  spec.sequence = (sr_sequence){.tokens = q->reading.n, .mask = {.window_left = -1, .window_right = -1}};
  spec.sequence.mask.documents = q->reading.documents.number;
  spec.sequence.mask.n_documents = q->reading.documents.n;
  return spec;
}

sr_status sr_questions_read(MPI_Comm comm, const char *model, const char *texts, const sr_saved *saved,
                            sr_questions *q) {
  const sr_reading_request request = {.model = model, .texts = texts, .document = SR_CUT_LINE, .unit = SR_CUT_NEVER};
  *q = (sr_questions){.texts = texts};
  return *texts ? sr_reading_make(comm, &request, &saved->vocabulary, &q->reading) : SR_OK;
}

sr_status sr_questions_estimate(MPI_Comm comm, const sr_questions *q, sr_stack_spec spec, double *bytes) {
  sr_plan_info plan;
  sr_stack_need need;
  *bytes = 0;
  if (!*q->texts) return SR_OK;
  spec = spec_of(q, spec);
  SR_TRY(sr_stack_estimate(comm, &spec, &plan, &need));
  const int64_t vectors = q->reading.units.n * spec.stack->width;
  *bytes = (double)(need.activations + need.attention + need.touched) + (double)vectors * sizeof(float);
  return SR_OK;
}

sr_status sr_questions_embed(MPI_Comm comm, const sr_saved *saved, sr_stack_spec spec, sr_questions *q) {
  sr_stack_run *run;
  q->width = spec.stack->width;
  spec = spec_of(q, spec);
  SR_TRY(sr_agree(comm, sr_stack_create(comm, &spec, &run)));
  sr_stack_begin(run, q->reading.id);
  sr_status status = sr_stack_layers(run, spec.stack->layers);
  if (status == SR_ERR_MPI) return status;
  if (status == SR_OK) {
    sr_stack_end(run);
    status = pool(comm, saved, run, q);
  }
  if (status != SR_ERR_MPI) sr_stack_destroy(&run);
  return status;
}

void sr_questions_free(sr_questions *q) {
  sr_reading_free(&q->reading);
  free(q->vector);
  q->vector = NULL;
}

static double product(const float *a, const float *b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
  return sum;
}

void sr_questions_compare(const sr_questions *q, int64_t question, const float *vector, int64_t n, float *value) {
  const float *a = q->vector + question * q->width;
  const double aa = product(a, a, q->width);
  for (int64_t i = 0; i < n; i++) {
    const float *b = vector + i * q->width;
    value[i] = (float)(product(a, b, q->width) / sqrt(aa * product(b, b, q->width)));
  }
}
