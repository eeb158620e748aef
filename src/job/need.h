/* What a model takes of memory, before any of it is loaded. */
#ifndef SR_JOB_NEED_H
#define SR_JOB_NEED_H

#include "encoding.h"
#include "questions.h"

/* Of this rank. */
typedef struct sr_need {
  sr_plan_info plan;   /* of a layer's attention */
  uint64_t weights;    /* bytes, once a node */
  sr_stack_need stack; /* of the layers */
  double encoding;     /* bytes of what they attend to besides their own text */
  double questions;    /* bytes of what is asked */
} sr_need;

/* What a spec takes, but for its store, an encoding that it attends to, and questions (NULL for none). what names the
 * spec's text, for messages. Collective. Errors: those of sr_stack_estimate. */
sr_status sr_need_find(MPI_Comm comm, const char *what, const sr_saved *saved, const sr_encoding *encoding,
                       const sr_questions *questions, sr_stack_spec spec, sr_need *need);

#endif
