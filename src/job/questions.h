/* Questions to a text: each becomes a vector as the text's units do, and finds those that are nearest to it. */
#ifndef SR_JOB_QUESTIONS_H
#define SR_JOB_QUESTIONS_H

#include "model/saved.h"
#include "model/stack.h"
#include "reading.h"

typedef struct sr_questions {
  const char *texts;  /* of sr_text_open; "" for none */
  sr_reading reading; /* a question a line, each a document */
  int64_t width;
  float *vector; /* [reading.units.n, width], on all ranks */
} sr_questions;

/* Reads the questions of texts, which must stay. To be freed in any case. Collective. Errors: SR_ERR_INPUT,
 * SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_questions_read(MPI_Comm comm, const char *model, const char *texts, const sr_saved *saved,
                            sr_questions *questions);

/* What running the model of a spec over them takes of memory on this rank: bytes. Collective. Errors: those of
 * sr_stack_estimate. */
sr_status sr_questions_estimate(MPI_Comm comm, const sr_questions *questions, sr_stack_spec spec, double *bytes);

/* Runs it. Collective. Errors: those of sr_stack_create. */
sr_status sr_questions_embed(MPI_Comm comm, const sr_saved *saved, sr_stack_spec spec, sr_questions *questions);
void sr_questions_free(sr_questions *questions);

/* value[i] becomes the cosine of the angle between a question and the i-th of n vectors; NaN where one has no length.
 */
void sr_questions_compare(const sr_questions *questions, int64_t question, const float *vector, int64_t n,
                          float *value);

#endif
