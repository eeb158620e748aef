/* The inside of a plan: its decision, its communicator and its one workspace. */
#ifndef SR_PLAN_PLAN_H
#define SR_PLAN_PLAN_H

#include "batch.h"
#include "comm/transfer.h"
#include "decision.h"

struct sr_plan {
  sr_decision d;
  MPI_Comm comm;
  void *workspace;
  char *queries;          /* [tiles] packed queries */
  char *accumulators;     /* [tiles] */
  char *block[2];         /* KV shards: the one in use, and the one on its way */
  char *workers;          /* [threads] */
  sr_batch *batches;      /* [n_batches] */
  unsigned char *special; /* bit s: segment s holds a NaN or Inf */
  sr_transfer *transfer;
  double all_pairs; /* visible (query, key) pairs of all ranks */
  sr_plan_stats stats;
};

/* A tile: consecutive rows of one KV head and one span of this rank's queries. Row r of a span is head r % group of the
 * KV head's query heads, of the span's query r / group. */
typedef struct sr_tile_rows {
  int64_t head;      /* KV head */
  int64_t first_row; /* in the span */
  int64_t rows;      /* 1 to the kernel's tile */
  int64_t position;  /* of the span's first query */
  int64_t local;     /* local index of the span's first query */
} sr_tile_rows;

sr_tile_rows sr_plan_tile(const sr_plan *plan, int64_t tile);

/* Converts q into the packed tiles, and k and v into block[0] and the bits of `special`. Returns the NaN and Inf
 * elements of this rank that some query sees. */
int64_t sr_plan_pack(sr_plan *plan, const sr_tensors *tensors);

/* Writes o and lse from the accumulators. */
void sr_plan_unpack(const sr_plan *plan, const sr_tensors *tensors);

/* SR_ERR_ARGUMENT where a tensor that has rows is NULL. */
sr_status sr_plan_check_tensors(const sr_plan *plan, const sr_tensors *tensors);

#endif
