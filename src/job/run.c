#include "run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "comm/comm.h"
#include "fit.h"
#include "json.h"
#include "model/stack.h"
#include "model/text.h"
#include "model/tokenizer.h"
#include "pieces.h"
#include "provenance.h"
#include "report.h"
#include "result.h"

/* A text's tokens, all of them on every rank. */
typedef struct tokens {
  int64_t n, room, limit;
  int32_t *id;
  int64_t *offset;
} tokens;

typedef struct run {
  MPI_Comm comm;
  int rank;
  const sr_run_job *job;
  sr_saved *saved;
  sr_run_report *report;
  sr_fit fit;
  const char *name; /* of the stack */
  const sr_stack *stack;
  tokens tokens;
  sr_store store;
  sr_stack_run *layers;
  sr_rows rows;
  const float *hidden;
  int32_t *next; /* [rows] the token behind each, or -1 */
  float *logprob;
  sr_output *output;
  double load_s, forward_s, head_s, write_s;
} run;

static void warn(void *data, const char *text) {
  const run *r = data;
  if (r->rank == 0 && r->job->events.warning) r->job->events.warning(r->job->events.data, text);
}

static sr_status no_memory(const run *r) {
  return sr_fail(SR_ERR_RESOURCE, "%s: no memory for its tokens", r->job->text);
}

/* A sink that ends the reading, as if it had failed, when there are enough. */
static sr_status keep_token(void *data, int32_t id, int64_t offset) {
  tokens *t = data;
  if (t->limit > 0 && t->n == t->limit) return SR_ERR_INTERNAL;
  if (t->n == t->room) {
    t->room = t->room ? 2 * t->room : 4096;
    int32_t *more_ids = realloc(t->id, (size_t)t->room * sizeof *t->id);
    if (more_ids) t->id = more_ids;
    int64_t *more_offsets = realloc(t->offset, (size_t)t->room * sizeof *t->offset);
    if (more_offsets) t->offset = more_offsets;
    if (!more_ids || !more_offsets) return sr_fail(SR_ERR_RESOURCE, "no memory for %" PRId64 " tokens", t->room);
  }
  t->id[t->n] = id;
  t->offset[t->n++] = offset;
  return SR_OK;
}

static sr_status read_text(run *r) {
  sr_tokenizer *tokenizer;
  FILE *file;
  r->tokens.limit = r->job->limit;
  SR_TRY(sr_text_open(r->job->text, &file));
  sr_status status = sr_tokenizer_create(r->job->model, &r->saved->vocabulary, &tokenizer);
  if (status == SR_OK)
    status = sr_tokenizer_read(tokenizer, r->job->text, file, &(sr_token_sink){keep_token, &r->tokens});
  sr_tokenizer_destroy(&tokenizer);
  sr_text_close(file);
  if (status == SR_ERR_INTERNAL && r->tokens.n == r->tokens.limit) status = SR_OK;
  if (status == SR_OK && r->tokens.n == 0) status = sr_fail(SR_ERR_INPUT, "%s: the text is empty", r->job->text);
  return status;
}

/* Rank 0's tokens on all. */
static sr_status share_tokens(run *r) {
  tokens *t = &r->tokens;
  SR_TRY(sr_agree(r->comm, r->rank == 0 ? read_text(r) : SR_OK));
  SR_TRY(sr_comm_bcast(r->comm, &t->n, sizeof t->n, 0));
  if (r->rank > 0) {
    t->id = malloc((size_t)t->n * sizeof *t->id);
    t->offset = malloc((size_t)t->n * sizeof *t->offset);
  }
  SR_TRY(sr_agree(r->comm, t->id && t->offset ? SR_OK : no_memory(r)));
  SR_TRY(sr_comm_bcast(r->comm, t->id, (uint64_t)t->n * sizeof *t->id, 0));
  return sr_comm_bcast(r->comm, t->offset, (uint64_t)t->n * sizeof *t->offset, 0);
}

static sr_status choose_outputs(run *r) {
  int *outputs = &r->report->outputs;
  const bool predicts = r->stack->head != SR_HEAD_NONE;
  *outputs = r->job->outputs;
  if (*outputs == 0) *outputs = SR_RUN_TOKENS | SR_RUN_OFFSETS | (predicts ? SR_RUN_LOGPROB : SR_RUN_HIDDEN);
  if (*outputs & SR_RUN_LOGPROB && !predicts)
    return sr_fail(SR_ERR_ARGUMENT, "%s: the model predicts no token: it has no logprob", r->job->model);
  if (*outputs & SR_RUN_LOGPROB && r->tokens.n < 2)
    return sr_fail(SR_ERR_INPUT, "%s: it is one token: there is no next one for logprob", r->job->text);
  return SR_OK;
}

static sr_status choose_stack(run *r) {
  const sr_description *d = &r->saved->description;
  if (d->has_encoder && d->has_decoder)
    return sr_fail(SR_ERR_ARGUMENT, "%s: models with an encoder and a decoder are not run yet", r->job->model);
  r->name = d->has_encoder ? "encoder" : "decoder";
  r->stack = d->has_encoder ? &d->encoder : &d->decoder;
  return SR_OK;
}

static sr_status load(run *r) {
  const double start = sr_now();
  const int threads = r->fit.placement.threads;
  SR_TRY(sr_store_open(r->comm, r->saved, &r->store));
  SR_TRY(sr_agree(r->comm, sr_stack_create(r->comm, &r->store, r->name, r->stack, r->tokens.n, threads, &r->layers)));
  sr_stack_rows(r->layers, &r->rows);
  r->load_s = sr_now() - start;
  return SR_OK;
}

static void find_next(run *r) {
  int64_t row = 0;
  for (int i = 0; i < r->rows.n_spans; i++)
    for (int64_t t = r->rows.span[i].start, end = t + r->rows.span[i].count; t < end; t++, row++)
      r->next[row] = t + 1 < r->tokens.n ? r->tokens.id[t + 1] : -1;
}

static sr_status predict(run *r) {
  if (!(r->report->outputs & SR_RUN_LOGPROB)) return SR_OK;
  r->next = malloc((size_t)r->rows.count * sizeof *r->next + 1);
  r->logprob = malloc((size_t)r->rows.count * sizeof *r->logprob + 1);
  SR_TRY(sr_agree(r->comm, r->next && r->logprob ? SR_OK : no_memory(r)));
  find_next(r);
  const double start = sr_now();
  sr_stack_logprob(r->layers, r->next, r->logprob);
  r->head_s = sr_now() - start;
  return SR_OK;
}

static sr_status compute(run *r) {
  const double start = sr_now();
  SR_TRY(sr_stack_forward(r->layers, r->tokens.id, &r->hidden));
  r->forward_s = sr_now() - start;
  return predict(r);
}

/* The datasets that are asked for, and the bit of each. */
static int list_datasets(const run *r, sr_output_dataset *dataset, int *bit) {
  const int64_t n = r->tokens.n, width = r->stack->width;
  const struct {
    int bit;
    sr_output_dataset dataset;
  } all[] = {
      {SR_RUN_TOKENS, {"tokens", "ids of the text's tokens", "1", SR_I32, 1, {n}, {"token"}}},
      {SR_RUN_OFFSETS, {"offsets", "where each token begins in the text", "byte", SR_I64, 1, {n}, {"token"}}},
      {SR_RUN_LOGPROB,
       {"logprob", "natural logarithm of the probability of the next token", "1", SR_F32, 1, {n - 1}, {"prediction"}}},
      {SR_RUN_HIDDEN,
       {"hidden", "hidden state after the final normalisation", "1", SR_F32, 2, {n, width}, {"token", "width"}}},
  };
  int count = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (r->report->outputs & all[i].bit) {
      dataset[count] = all[i].dataset;
      bit[count++] = all[i].bit;
    }
  return count;
}

enum { DATASETS = 4 };

static sr_status create_output(run *r) {
  sr_output_dataset dataset[DATASETS];
  int bit[DATASETS];
  const sr_output_spec spec = {
      .path = r->job->output, .input = r->job->model, .n_datasets = list_datasets(r, dataset, bit), .dataset = dataset};
  return sr_result_create(r->comm, spec, &r->job->events, &r->output);
}

static sr_status write_piece(void *data, int dataset, const sr_rows *rows, void *at) {
  return sr_output_write(data, dataset, rows, at);
}

/* Tokens are the ids that all ranks have: each writes those of its rows. */
static sr_status write_table(run *r, int dataset, const void *table, uint64_t row_bytes) {
  for (int i = 0; i < r->rows.n_spans; i++) {
    const sr_span span = r->rows.span[i];
    SR_TRY(sr_output_write(r->output, dataset, &(sr_rows){span.count, 1, &span},
                           (const char *)table + (uint64_t)span.start * row_bytes));
  }
  return SR_OK;
}

/* All rows but the text's last token, which has no next one. */
static sr_status write_logprob(run *r, int dataset) {
  int64_t row = 0;
  for (int i = 0; i < r->rows.n_spans; i++) {
    sr_span span = r->rows.span[i];
    const float *from = r->logprob + row;
    row += span.count;
    if (span.start + span.count == r->tokens.n) span.count--;
    if (span.count > 0) SR_TRY(sr_output_write(r->output, dataset, &(sr_rows){span.count, 1, &span}, from));
  }
  return SR_OK;
}

static sr_status write_dataset(run *r, int dataset, int bit) {
  const uint64_t row = (uint64_t)r->stack->width * sizeof(float);
  switch (bit) {
  case SR_RUN_TOKENS:
    return sr_agree(r->comm, write_table(r, dataset, r->tokens.id, sizeof *r->tokens.id));
  case SR_RUN_OFFSETS:
    return sr_agree(r->comm, write_table(r, dataset, r->tokens.offset, sizeof *r->tokens.offset));
  case SR_RUN_LOGPROB:
    return sr_agree(r->comm, write_logprob(r, dataset));
  default:
    return sr_pieces(r->comm, &r->rows, row, (void *)r->hidden, dataset, write_piece, r->output, &r->write_s);
  }
}

static sr_status write_output(run *r) {
  sr_output_dataset dataset[DATASETS];
  int bit[DATASETS];
  const int n = list_datasets(r, dataset, bit);
  for (int i = 0; i < n; i++) SR_TRY(write_dataset(r, i, bit[i]));
  return SR_OK;
}

/* Nothing that has no influence on the results. */
static char *provenance_of(const run *r) {
  json_t *json =
      json_pack("{s:s, s:o, s:o, s:o, s:I}", "program", "seqring run", "versions", sr_versions_json(), "model",
                sr_json_text(r->job->model), "text", sr_json_text(r->job->text), "tokens", (json_int_t)r->tokens.n);
  char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
  json_decref(json);
  return text;
}

/* Completes the output, or removes it when the work has failed. */
static sr_status complete(run *r, sr_status status) {
  char *provenance = status == SR_OK ? provenance_of(r) : NULL;
  if (status == SR_OK && !provenance) status = sr_fail(SR_ERR_RESOURCE, "no memory for the provenance");
  status = sr_result_commit(&r->output, status, provenance, &r->job->events);
  free(provenance);
  return status;
}

static sr_status report_on(run *r, double wall_s) {
  sr_run_report *report = r->report;
  const struct {
    double mine;
    sr_spread *spread;
  } all[] = {{(double)sr_stack_bytes(r->layers), &report->rank_bytes},
             {r->load_s, &report->load},
             {r->forward_s, &report->forward},
             {r->head_s, &report->head},
             {r->write_s, &report->write},
             {(double)sr_memory_peak(), &report->peak}};
  report->tokens = r->tokens.n;
  report->weight_bytes = r->store.bytes;
  report->threads = r->fit.placement.threads;
  report->wall_s = wall_s;
  SR_TRY(sr_mpi(MPI_Comm_size(r->comm, &report->ranks), "MPI_Comm_size"));
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) SR_TRY(sr_spread_find(r->comm, all[i].mine, all[i].spread));
  return SR_OK;
}

static sr_status prepare(run *r) {
  SR_TRY(sr_mpi(MPI_Comm_rank(r->comm, &r->rank), "MPI_Comm_rank"));
  SR_TRY(sr_saved_share(r->comm, r->job->model, r->saved));
  SR_TRY(choose_stack(r));
  SR_TRY(share_tokens(r));
  SR_TRY(choose_outputs(r));
  SR_TRY(sr_fit_threads(r->comm, r->job->threads, &r->fit));
  return sr_fit_warn(r->comm, &r->fit, warn, r);
}

static sr_status work(run *r) {
  SR_TRY(load(r));
  SR_TRY(compute(r));
  const double start = sr_now();
  sr_status status = write_output(r);
  r->write_s = sr_now() - start;
  return status;
}

static sr_status perform(run *r) {
  const double start = sr_now();
  SR_TRY(prepare(r));
  SR_TRY(create_output(r));
  sr_status status = work(r);
  if (status == SR_ERR_MPI) return status;
  SR_TRY(complete(r, status));
  return report_on(r, sr_now() - start);
}

static void free_all(run *r) {
  sr_stack_destroy(&r->layers);
  sr_store_close(&r->store);
  free(r->tokens.id);
  free(r->tokens.offset);
  free(r->next);
  free(r->logprob);
}

sr_status sr_run_text(MPI_Comm comm, const sr_run_job *job, sr_saved *saved, sr_run_report *report) {
  *report = (sr_run_report){0};
  run r = {.comm = comm,
           .job = job,
           .saved = saved,
           .report = report,
           .store = {.node = MPI_COMM_NULL, .shared = {.window = MPI_WIN_NULL}}};
  sr_status status = perform(&r);
  if (status == SR_ERR_MPI)
    sr_result_abandon(r.output);
  else
    free_all(&r);
  return status;
}
