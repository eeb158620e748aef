#include "ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "comm/comm.h"

static int largest_first(const void *a, const void *b) {
  const sr_ranked *x = a, *y = b;
  if (x->value != y->value) return x->value < y->value ? 1 : -1;
  return x->unit < y->unit ? -1 : x->unit > y->unit;
}

/* Puts the largest of n units in front, up to `most` of them, behind which others have the number -1. */
static void sort(sr_ranked *ranked, int64_t n, int64_t most) {
  qsort(ranked, (size_t)n, sizeof *ranked, largest_first);
  for (int64_t i = n; i < most; i++) ranked[i] = (sr_ranked){-1, -(double)INFINITY};
}

/* This rank's own. */
static sr_status rank_mine(const sr_numbers *unit, const float *value, int64_t n, sr_ranked *top) {
  sr_ranked *all = malloc((size_t)(unit->n > n ? unit->n : n) * sizeof *all + 1);
  if (!all) return sr_fail(SR_ERR_RESOURCE, "no memory to rank units");
  int64_t count = 0;
  for (int64_t i = 0; i < unit->n; i++)
    if (!isnan(value[i])) all[count++] = (sr_ranked){unit->number[i], (double)value[i]};
  sort(all, count, n);
  memcpy(top, all, (size_t)n * sizeof *top);
  free(all);
  return SR_OK;
}

static sr_status merge(MPI_Comm comm, int64_t n, int ranks, sr_ranked *top, sr_ranked *all) {
  SR_TRY(sr_comm_gather(comm, top, (int)((size_t)n * sizeof *top), all, 0));
  if (!all) return SR_OK;
  sort(all, n * ranks, n);
  memcpy(top, all, (size_t)n * sizeof *top);
  return SR_OK;
}

sr_status sr_rank_units(MPI_Comm comm, const sr_numbers *unit, const float *value, int64_t n, sr_ranked *top,
                        int64_t *found) {
  int ranks, rank;
  *found = 0;
  SR_TRY(sr_comm_size(comm, &ranks));
  SR_TRY(sr_comm_rank(comm, &rank));
  SR_TRY(sr_agree(comm, rank_mine(unit, value, n, top)));
  sr_ranked *all = rank == 0 ? malloc((size_t)n * (size_t)ranks * sizeof *all + 1) : NULL;
  sr_status status = sr_agree_memory(comm, all || rank > 0, "to rank units");
  if (status == SR_OK) status = merge(comm, n, ranks, top, all);
  free(all);
  while (*found < n && top[*found].unit >= 0) ++*found;
  return status;
}
