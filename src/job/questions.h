/* Questions to a text: each becomes a vector as the text's units do, and finds those that are nearest to it. */
#ifndef SR_JOB_QUESTIONS_H
#define SR_JOB_QUESTIONS_H

#include "model/saved.h"
#include "model/stack.h"
#include "reading.h"

typedef struct sr_questions {
  sr_reading reading; /* a question a line, each a document */
  int64_t width;
  float *vector; /* [reading.units.n, width], on all ranks */
} sr_questions;

/* Reads the questions of texts, as in sr_text_open, and runs the model of a spec over them. To be freed in any case.
 * Collective. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_questions_make(MPI_Comm comm, const char *model, const char *texts, const sr_saved *saved,
                            const sr_stack_spec *spec, sr_questions *questions);
void sr_questions_free(sr_questions *questions);

/* value[i] becomes the cosine of the angle between a question and the i-th of n vectors; NaN where one has no length.
 */
void sr_questions_compare(const sr_questions *questions, int64_t question, const float *vector, int64_t n,
                          float *value);

#endif
