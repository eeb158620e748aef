/* One block of keys and values folded into all tiles of a rank. */
#ifndef SR_PLAN_FOLD_H
#define SR_PLAN_FOLD_H

#include "plan.h"

/* One step as its threads see it. */
typedef struct sr_fold {
  sr_plan *plan;
  const sr_tensors *tensors;
  const sr_block *block;
  char *memory;          /* of the block */
  sr_transfer *transfer; /* to be driven meanwhile */
  int64_t step;          /* whose block it is */
  int64_t *done;         /* row-key pairs folded so far, over all blocks */
  sr_status status;      /* of MPI; SR_OK at first, written by the master thread only */
} sr_fold;

/* Folds the block; writes o and lse of the tiles that are done with it. Errors: SR_ERR_MPI. */
sr_status sr_fold_block(sr_fold *fold);

#endif
