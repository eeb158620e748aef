/* What a model takes of memory, before any of it is loaded. */
#ifndef SR_JOB_NEED_H
#define SR_JOB_NEED_H

#include "encoding.h"

/* Of this rank. */
typedef struct sr_need {
  sr_plan_info plan;   /* of a layer's attention */
  uint64_t weights;    /* bytes, once a node */
  sr_stack_need stack; /* of the layers */
  double encoding;     /* bytes of what they attend to besides their own text */
} sr_need;

/* What a spec takes, but for its store, and an encoding that it attends to. what begins the message where a text is too
 * long. Collective. Errors: those of sr_stack_estimate. */
sr_status sr_need_find(MPI_Comm comm, const char *what, const sr_saved *saved, const sr_encoding *encoding,
                       sr_stack_spec spec, sr_need *need);

#endif
