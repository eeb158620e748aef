#include "run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/rows.h"
#include "comm/comm.h"
#include "json.h"
#include "provenance.h"
#include "report.h"
#include "result.h"
#include "run_state.h"

static void choose_stack(sr_run_state *r) {
  const sr_description *d = &r->saved->description;
  r->name = d->has_decoder ? "decoder" : "encoder";
  r->stack = d->has_decoder ? &d->decoder : &d->encoder;
}

static sr_status load(sr_run_state *r) {
  const double start = sr_now();
  SR_TRY(sr_store_open(r->comm, r->saved, &r->store));
  SR_TRY(sr_encoding_make(r->comm, r->saved, &r->store, r->fit.placement.threads, &r->encoding));
  const sr_stack_spec spec = sr_run_spec(r);
  SR_TRY(sr_agree(r->comm, sr_stack_create(r->comm, &spec, &r->layers)));
  sr_stack_rows(r->layers, &r->rows);
  SR_TRY(sr_agree(r->comm, sr_chunks_hold(&r->chunks, &r->rows, &r->held, &r->n_held)));
  r->load_s = sr_now() - start;
  return SR_OK;
}

static sr_status advance(sr_run_state *r, int64_t layers) {
  const double start = sr_now();
  sr_status status = sr_stack_layers(r->layers, layers);
  r->forward_s += sr_now() - start;
  return status;
}

/* The token behind each of this rank's, within its document. */
static void find_next(sr_run_state *r) {
  const sr_numbers *documents = &r->reading.documents;
  int64_t row = 0;
  for (int i = 0; i < r->rows.n_spans; i++)
    for (int64_t t = r->rows.span[i].start, end = t + r->rows.span[i].count; t < end; t++, row++) {
      const int64_t document = sr_part_of(documents->number, documents->n, t);
      const bool last = t + 1 == sr_part_end(documents->number, documents->n, document, r->reading.n);
      r->next[row] = last ? -1 : r->reading.id[t + 1];
    }
}

/* Of tokens that something follows. */
static sr_status warn_of_nonfinite(const sr_run_state *r) {
  int64_t n = 0;
  char text[128];
  for (int64_t row = 0; row < r->rows.count; row++) n += r->next[row] >= 0 && !isfinite(r->logprob[row]);
  SR_TRY(sr_comm_sum_i64(r->comm, &n, 1));
  snprintf(text, sizeof text, "%" PRId64 " %s a log-probability that is NaN or Inf", n,
           n == 1 ? "token has" : "tokens have");
  if (n > 0) sr_job_warn(&r->job->events, r->rank, text);
  return SR_OK;
}

static sr_status predict(sr_run_state *r) {
  if (!sr_run_predicts(r)) return SR_OK;
  r->next = malloc((size_t)r->rows.count * sizeof *r->next + 1);
  r->logprob = malloc((size_t)r->rows.count * sizeof *r->logprob + 1);
  SR_TRY(sr_agree_memory(r->comm, r->next && r->logprob, "for predictions"));
  find_next(r);
  const double start = sr_now();
  sr_stack_logprob(r->layers, r->next, r->logprob);
  r->head_s = sr_now() - start;
  return warn_of_nonfinite(r);
}

static sr_status pool_hidden(sr_run_state *r) {
  if (!sr_run_makes(r, SR_RUN_EMBEDDING)) return SR_OK;
  return sr_units_embed(r->comm, &r->saved->description, &r->reading, &r->chunks, r->layers, r->stack->width,
                        &r->embedding);
}

static sr_status pool_surprise(sr_run_state *r) {
  if (!sr_run_makes(r, SR_RUN_SURPRISE)) return SR_OK;
  return sr_units_surprise(r->comm, &r->reading, &r->chunks, r->layers, r->logprob, &r->surprise);
}

/* Whether layers behind the one that is asked for are needed. */
static bool needs_all(const sr_run_state *r) {
  return sr_run_predicts(r) || sr_run_makes(r, SR_RUN_EMBEDDING) ||
         (r->job->layer < 0 && sr_run_makes(r, SR_RUN_HIDDEN));
}

static sr_status compute(sr_run_state *r) {
  const int64_t first = r->job->layer + 1;
  if (first == 0 && !needs_all(r)) return SR_OK;
  sr_stack_begin(r->layers, r->chunks.id);
  SR_TRY(advance(r, first));
  if (first > 0) SR_TRY(sr_run_write_layer(r));
  if (!needs_all(r)) return SR_OK;
  SR_TRY(advance(r, r->stack->layers - first));
  sr_stack_end(r->layers);
  if (first == 0) SR_TRY(sr_run_write_layer(r));
  SR_TRY(predict(r));
  SR_TRY(pool_hidden(r));
  SR_TRY(pool_surprise(r));
  return sr_run_find_top(r);
}

/* Nothing that has no influence on the results. */
static char *provenance_of(const sr_run_state *r) {
  const sr_run_job *job = r->job;
  const int64_t window[2] = {job->mask.window_left, job->mask.window_right};
  json_t *json =
      json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I}", "program", "seqring run",
                "versions", sr_versions_json(), "model", sr_json_text(job->model), "text", sr_json_text(job->texts),
                "source", sr_json_text(job->source), "tokens", (json_int_t)r->reading.n, "documents",
                (json_int_t)r->reading.documents.n, "chunks", (json_int_t)r->chunks.n_documents, "chunk_overlap",
                (json_int_t)job->overlap, "units", (json_int_t)r->reading.units.n, "window", sr_json_dims(window, 2),
                "sinks", (json_int_t)job->mask.sinks, "layer", (json_int_t)job->layer);
  char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
  json_decref(json);
  return text;
}

/* Completes the output, or removes it when the work has failed. */
static sr_status complete(sr_run_state *r, sr_status status) {
  char *provenance = status == SR_OK ? provenance_of(r) : NULL;
  if (status == SR_OK && !provenance) status = sr_fail(SR_ERR_RESOURCE, "no memory for the provenance");
  status = sr_result_commit(&r->output, status, provenance, &r->job->events);
  free(provenance);
  return status;
}

static sr_status report_on(sr_run_state *r, double wall_s) {
  sr_run_report *report = r->report;
  const struct {
    double mine;
    sr_spread *spread;
  } all[] = {{r->load_s, &report->load_s},
             {r->forward_s, &report->forward_s},
             {r->head_s, &report->head_s},
             {r->write_s, &report->write_s},
             {(double)sr_memory_peak(), &report->peak}};
  report->wall_s = wall_s;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) SR_TRY(sr_spread_find(r->comm, all[i].mine, all[i].spread));
  return SR_OK;
}

static sr_status prepare(sr_run_state *r) {
  SR_TRY(sr_comm_rank(r->comm, &r->rank));
  SR_TRY(sr_saved_share(r->comm, r->job->model, r->saved));
  choose_stack(r);
  SR_TRY(sr_run_choose(r));
  SR_TRY(sr_run_read(r));
  SR_TRY(sr_fit_threads(r->comm, r->job->threads, &r->fit));
  SR_TRY(sr_comm_size(r->comm, &r->report->ranks));
  r->report->threads = r->fit.placement.threads;
  r->report->tokens = r->reading.n;
  r->report->documents = r->reading.documents.n;
  r->report->units = r->reading.units.n;
  r->report->chunks = r->chunks.n_documents;
  sr_run_warn_of_length(r);
  SR_TRY(sr_fit_warn(r->comm, &r->fit, &r->job->events));
  return sr_run_estimate(r);
}

static sr_status work(sr_run_state *r) {
  SR_TRY(load(r));
  SR_TRY(compute(r));
  return sr_run_write_results(r);
}

static sr_status perform(sr_run_state *r) {
  const double start = sr_now();
  SR_TRY(prepare(r));
  if (r->job->dry_run) return SR_OK;
  SR_TRY(sr_run_check_memory(r));
  SR_TRY(sr_run_create_output(r));
  sr_status status = work(r);
  if (status == SR_ERR_MPI) return status;
  SR_TRY(complete(r, status));
  return report_on(r, sr_now() - start);
}

static void free_all(sr_run_state *r) {
  sr_stack_destroy(&r->layers);
  sr_encoding_free(&r->encoding);
  sr_store_close(&r->store);
  sr_reading_free(&r->reading);
  sr_chunks_free(&r->chunks);
  sr_questions_free(&r->questions);
  free(r->held);
  sr_pooled_free(&r->embedding);
  sr_pooled_free(&r->surprise);
  free(r->next);
  free(r->logprob);
}

sr_status sr_run_text(MPI_Comm comm, const sr_run_job *job, sr_saved *saved, sr_run_report *report) {
  *report = (sr_run_report){0};
  sr_run_state r = {.comm = comm, .job = job, .saved = saved, .report = report, .store = sr_store_none()};
  sr_status status = perform(&r);
  if (status == SR_ERR_MPI)
    sr_result_abandon(r.output);
  else
    free_all(&r);
  return status;
}

void sr_run_report_free(sr_run_report *report) {
  free(report->top);
  free(report->question);
  report->top = NULL, report->question = NULL;
}
