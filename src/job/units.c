#include "units.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/rows.h"
#include "comm/comm.h"

/* Tokens [from, to) of the text. */
typedef struct range {
  int64_t from, to;
} range;

static range tokens_of(const sr_reading *reading, int64_t i) {
  const sr_numbers *units = &reading->units;
  return (range){units->number[i], sr_part_end(units->number, units->n, i, reading->n)};
}

/* Those of a unit that are pooled: its tokens, or those that predict them, which the first token of a document has not.
 */
static range pooled_of(const sr_reading *reading, int64_t i, bool predicting) {
  const sr_numbers *documents = &reading->documents;
  const range u = tokens_of(reading, i);
  if (!predicting || u.to == u.from) return u;
  const int64_t begin = documents->number[sr_part_of(documents->number, documents->n, u.from)];
  return (range){begin == u.from ? u.from : u.from - 1, u.to - 1};
}

/* Adds a unit's rows, in as many spans as chunks that it is kept of. */
static void add_unit(const sr_chunks *chunks, range tokens, sr_unit *unit, sr_span *span, int64_t *n) {
  int64_t k = sr_chunks_find(chunks, tokens.from);
  *unit = (sr_unit){chunks->kept[k].at + tokens.from - chunks->kept[k].token, *n, 0};
  for (int64_t from = tokens.from; from < tokens.to; k++) {
    const sr_kept *kept = &chunks->kept[k];
    const int64_t end = kept->token + kept->n, to = end < tokens.to ? end : tokens.to;
    span[(*n)++] = (sr_span){kept->at + from - kept->token, to - from};
    unit->n++;
    from = to;
  }
}

static sr_status pool(MPI_Comm comm, const sr_reading *reading, const sr_chunks *chunks, const sr_stack_run *run,
                      bool predicting, sr_pool_spec spec, sr_pooled *pooled) {
  sr_rows rows;
  int64_t n = 0;
  sr_unit *unit = malloc((size_t)reading->units.n * sizeof *unit + 1);
  sr_span *span = malloc((size_t)(reading->units.n + chunks->n_kept) * sizeof *span);
  *pooled = (sr_pooled){0};
  sr_status status = sr_agree_memory(comm, unit && span, "for the units of a text");
  for (int64_t i = 0; status == SR_OK && i < reading->units.n; i++)
    add_unit(chunks, pooled_of(reading, i, predicting), &unit[i], span, &n);
  sr_stack_rows(run, &rows);
  spec.n = chunks->n, spec.units = reading->units.n, spec.unit = unit, spec.span = span, spec.rows = &rows;
  if (status == SR_OK) status = sr_pool(comm, &spec, pooled);
  free(unit);
  free(span);
  return status;
}

sr_status sr_units_embed(MPI_Comm comm, const sr_description *model, const sr_reading *reading, const sr_chunks *chunks,
                         const sr_stack_run *run, int64_t width, sr_pooled *pooled) {
  sr_stack_state state;
  sr_stack_get(run, &state);
  const sr_pool_spec spec = {
      .kind = model->pooling, .normalised = model->normalised, .width = width, .values = state.hidden};
  return pool(comm, reading, chunks, run, false, spec, pooled);
}

sr_status sr_units_surprise(MPI_Comm comm, const sr_reading *reading, const sr_chunks *chunks, const sr_stack_run *run,
                            const float *logprob, sr_pooled *pooled) {
  const sr_pool_spec spec = {.kind = SR_POOLING_MEAN, .width = 1, .values = logprob, .none = NAN};
  SR_TRY(pool(comm, reading, chunks, run, true, spec, pooled));
  for (int64_t i = 0; i < pooled->unit.n; i++) pooled->values[i] = 0 - pooled->values[i];
  return SR_OK;
}

sr_status sr_units_top(MPI_Comm comm, const sr_reading *reading, const sr_numbers *unit, const float *value, int64_t n,
                       sr_run_unit *top, int64_t *found) {
  const sr_numbers *offsets = &reading->unit_offsets;
  sr_ranked *ranked = malloc((size_t)n * sizeof *ranked + 1);
  *found = 0;
  SR_TRY(sr_agree_memory(comm, ranked != NULL, "for the units of a text"));
  sr_status status = sr_rank_units(comm, unit, value, n, ranked, found);
  for (int64_t i = 0; status == SR_OK && i < *found; i++) {
    const int64_t number = ranked[i].unit;
    top[i] = (sr_run_unit){-1, ranked[i], offsets->number[number],
                           sr_part_end(offsets->number, offsets->n, number, INT64_MAX)};
  }
  free(ranked);
  return status;
}
