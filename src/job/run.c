#include "run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "comm/comm.h"
#include "encoding.h"
#include "fit.h"
#include "json.h"
#include "model/stack.h"
#include "pieces.h"
#include "pool.h"
#include "provenance.h"
#include "report.h"
#include "result.h"

typedef struct run {
  MPI_Comm comm;
  int rank;
  const sr_run_job *job;
  sr_saved *saved;
  sr_run_report *report;
  sr_fit fit;
  const char *name; /* of the stack */
  const sr_stack *stack;
  sr_encoding encoding;
  sr_reading reading;
  sr_store store;
  sr_stack_run *layers;
  sr_rows rows;
  int32_t *next; /* [rows] the token behind each, or -1 */
  float *logprob;
  sr_pooled embedding, surprise;
  sr_output *output;
  int place[SR_RUN_OUTPUTS]; /* of each dataset in the output, or -1 */
  double load_s, forward_s, head_s, write_s;
} run;

/* An sr_warning_fn. */
static void warn(void *data, const char *text) {
  const run *r = data;
  if (r->rank == 0 && r->job->events.warning) r->job->events.warning(r->job->events.data, text);
}

static bool makes(const run *r, sr_run_output output) {
  return r->report->outputs & sr_run_bit(output);
}

static bool predicts_any(const run *r) {
  return makes(r, SR_RUN_LOGPROB) || makes(r, SR_RUN_SURPRISE);
}

/* Whether one of the outputs is of a layer that is asked for. */
static bool makes_layer(const run *r) {
  return makes(r, SR_RUN_HIDDEN) || makes(r, SR_RUN_Q) || makes(r, SR_RUN_K) || makes(r, SR_RUN_V);
}

static sr_status check_layer(const run *r) {
  const sr_run_job *job = r->job;
  const bool attention = makes(r, SR_RUN_Q) || makes(r, SR_RUN_K) || makes(r, SR_RUN_V);
  if (attention && job->layer < 0)
    return sr_fail(SR_ERR_ARGUMENT, "q, k and v are those of a layer, and none is asked for");
  if (job->layer >= 0 && !makes_layer(r))
    return sr_fail(SR_ERR_ARGUMENT, "a layer is asked for, and none of its outputs: hidden, q, k or v");
  if (job->layer >= r->stack->layers)
    return sr_fail(SR_ERR_ARGUMENT, "%s: layer %" PRId64 " is asked for, and the last of its layers is %" PRId64,
                   job->model, job->layer, r->stack->layers - 1);
  return SR_OK;
}

static sr_status check_units(const run *r) {
  const bool asked_for = makes(r, SR_RUN_EMBEDDING) || makes(r, SR_RUN_UNITS) || makes(r, SR_RUN_SURPRISE);
  if (r->job->unit != SR_CUT_NEVER && !asked_for)
    return sr_fail(SR_ERR_ARGUMENT, "a unit is asked for, and none of its outputs: embedding, surprise or units");
  if (r->job->top > 0 && !makes(r, SR_RUN_SURPRISE))
    return sr_fail(SR_ERR_ARGUMENT, "the most surprising units are asked for, and not the output surprise");
  if (makes(r, SR_RUN_EMBEDDING) && r->saved->description.pooling == SR_POOLING_NONE)
    return sr_fail(SR_ERR_ARGUMENT, "%s: the model does not say how hidden states are pooled: it has no embedding",
                   r->job->model);
  return SR_OK;
}

static sr_status choose_outputs(run *r) {
  int *outputs = &r->report->outputs;
  const bool predicts = r->stack->head != SR_HEAD_NONE;
  *outputs = r->job->outputs;
  if (*outputs == 0)
    *outputs =
        sr_run_bit(SR_RUN_TOKENS) | sr_run_bit(SR_RUN_OFFSETS) | sr_run_bit(predicts ? SR_RUN_LOGPROB : SR_RUN_HIDDEN);
  if (predicts_any(r) && !predicts)
    return sr_fail(SR_ERR_ARGUMENT, "%s: the model predicts no token: it has no logprob and no surprise",
                   r->job->model);
  SR_TRY(check_layer(r));
  return check_units(r);
}

static void choose_stack(run *r) {
  const sr_description *d = &r->saved->description;
  r->name = d->has_decoder ? "decoder" : "encoder";
  r->stack = d->has_decoder ? &d->decoder : &d->encoder;
}

static sr_status read_text(run *r) {
  const sr_run_job *job = r->job;
  const sr_reading_request request = {job->model, job->texts, job->document, job->unit, job->limit, false};
  SR_TRY(sr_encoding_read(r->comm, job->model, job->source, r->saved, &r->encoding));
  SR_TRY(sr_reading_make(r->comm, &request, &r->saved->vocabulary, &r->reading));
  if (makes(r, SR_RUN_LOGPROB) && r->reading.n < 2)
    return sr_fail(SR_ERR_INPUT, "%.200s: it is one token: there is no next one for logprob", job->texts);
  return SR_OK;
}

/* What is allowed, and hardly ever meant. */
static void warn_of_length(run *r) {
  const sr_mask *mask = &r->job->mask;
  const int64_t longest = sr_reading_longest(&r->reading);
  char text[256];
  if (r->stack->causal && mask->window_left >= 0 && mask->window_left + 1 < longest && mask->sinks == 0)
    warn(r,
         "a window without sinks: models that were not trained with one predict badly from where it leaves the first "
         "tokens behind; --sinks 4 keeps these in sight");
  snprintf(text, sizeof text,
           "%" PRId64 " tokens side by side, and the model was trained on up to %" PRId64
           ": without a window its predictions get worse",
           longest, r->stack->context);
  if (r->stack->context > 0 && longest > r->stack->context && mask->window_left < 0) warn(r, text);
}

static sr_stack_spec spec_of(const run *r, const sr_store *store) {
  sr_sequence sequence = {.tokens = r->reading.n, .mask = r->job->mask};
  sequence.mask.documents = r->reading.documents.number;
  sequence.mask.n_documents = r->reading.documents.n;
  return (sr_stack_spec){store, r->name, r->stack, sequence, r->fit.placement.threads, r->encoding.run};
}

/* Bytes of what this rank keeps of the text and of its results besides the layers' activations. */
static uint64_t text_bytes(const run *r, int64_t rows) {
  const int64_t a_token = sizeof *r->reading.id + sizeof *r->reading.offset;
  const int64_t units = r->reading.units.n * 2 * (int64_t)sizeof(int64_t);
  const int64_t a_row = predicts_any(r) ? sizeof *r->next + sizeof *r->logprob : 0;
  const int64_t a_unit = makes(r, SR_RUN_EMBEDDING) ? r->stack->width * (int64_t)sizeof(float) : 0;
  return (uint64_t)(r->reading.n * a_token + units + rows * a_row + r->reading.units.n * a_unit);
}

/* What the run will take of memory. */
static sr_status estimate(run *r) {
  sr_run_report *report = r->report;
  sr_stack_need need = {0};
  sr_store outline;
  double encoding = 0;
  SR_TRY(sr_agree(r->comm, sr_store_outline(r->saved, &outline)));
  const sr_stack_spec spec = spec_of(r, &outline);
  sr_status status = sr_stack_estimate(r->comm, &spec, &report->plan, &need);
  if (status == SR_OK)
    status = sr_encoding_estimate(r->comm, r->saved, &outline, r->fit.placement.threads, &r->encoding, &encoding);
  report->weights = outline.bytes;
  sr_store_close(&outline);
  SR_TRY(sr_agree(r->comm, status));
  const uint64_t text = text_bytes(r, report->plan.q_rows);
  SR_TRY(sr_spread_find(r->comm, (double)text, &report->text));
  SR_TRY(sr_spread_find(r->comm, (double)need.activations + encoding, &report->activations));
  SR_TRY(sr_spread_find(r->comm, (double)need.attention, &report->attention));
  SR_TRY(sr_spread_find(r->comm, (double)need.shared, &report->shared));
  const uint64_t all = text + need.activations + need.attention + need.touched + report->weights;
  return sr_spread_find(r->comm, (double)all + encoding, &report->memory);
}

/* Refuses what does not fit. */
static sr_status check_memory(const run *r) {
  const sr_run_report *report = r->report;
  const double own = report->text.max + report->activations.max + report->attention.max;
  return sr_fit_memory(r->comm, &r->fit, own, report->shared.max + (double)report->weights, r->job->model);
}

static sr_status load(run *r) {
  const double start = sr_now();
  SR_TRY(sr_store_open(r->comm, r->saved, &r->store));
  SR_TRY(sr_encoding_make(r->comm, r->saved, &r->store, r->fit.placement.threads, &r->encoding));
  const sr_stack_spec spec = spec_of(r, &r->store);
  SR_TRY(sr_agree(r->comm, sr_stack_create(r->comm, &spec, &r->layers)));
  sr_stack_rows(r->layers, &r->rows);
  r->load_s = sr_now() - start;
  return SR_OK;
}

static sr_status create_output(run *r) {
  const sr_stack *s = r->stack;
  sr_output_dataset dataset[SR_RUN_OUTPUTS];
  const sr_run_shape shape = {r->reading.n, r->reading.units.n, s->width, s->heads, s->kv_heads, s->head_width};
  const int n = sr_run_datasets(r->report->outputs, &shape, dataset, r->place);
  const sr_output_spec spec = {.path = r->job->output, .input = r->job->model, .n_datasets = n, .dataset = dataset};
  return sr_result_create(r->comm, spec, &r->job->events, &r->output);
}

static sr_status write_piece(void *data, int dataset, const sr_rows *rows, void *at) {
  return sr_output_write(data, dataset, rows, at);
}

/* This rank's rows of an output that has one a token; nothing where it is not asked for. */
static sr_status write_rows(run *r, sr_run_output output, const float *from, int64_t columns) {
  const uint64_t row = (uint64_t)columns * sizeof(float);
  if (!makes(r, output)) return SR_OK;
  return sr_pieces(r->comm, &r->rows, row, (void *)from, r->place[output], write_piece, r->output, &r->write_s);
}

static sr_status write_layer(run *r) {
  const sr_stack *s = r->stack;
  sr_stack_state state;
  sr_stack_get(r->layers, &state);
  SR_TRY(write_rows(r, SR_RUN_Q, state.q, s->heads * s->head_width));
  SR_TRY(write_rows(r, SR_RUN_K, state.k, s->kv_heads * s->head_width));
  SR_TRY(write_rows(r, SR_RUN_V, state.v, s->kv_heads * s->head_width));
  return write_rows(r, SR_RUN_HIDDEN, state.hidden, s->width);
}

static sr_status advance(run *r, int64_t layers) {
  const double start = sr_now();
  sr_status status = sr_stack_layers(r->layers, layers);
  r->forward_s += sr_now() - start;
  return status;
}

/* The token behind each of this rank's, within its document. */
static void find_next(run *r) {
  const sr_numbers *documents = &r->reading.documents;
  int64_t row = 0, document = 0;
  for (int i = 0; i < r->rows.n_spans; i++)
    for (int64_t t = r->rows.span[i].start, end = t + r->rows.span[i].count; t < end; t++, row++) {
      while (document < documents->n && documents->number[document] <= t) document++;
      const int64_t stop = document < documents->n ? documents->number[document] : r->reading.n;
      r->next[row] = t + 1 < stop ? r->reading.id[t + 1] : -1;
    }
}

static sr_status predict(run *r) {
  if (!predicts_any(r)) return SR_OK;
  r->next = malloc((size_t)r->rows.count * sizeof *r->next + 1);
  r->logprob = malloc((size_t)r->rows.count * sizeof *r->logprob + 1);
  const bool there = r->next && r->logprob;
  SR_TRY(sr_agree(r->comm, there ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory for predictions")));
  find_next(r);
  const double start = sr_now();
  sr_stack_logprob(r->layers, r->next, r->logprob);
  r->head_s = sr_now() - start;
  return SR_OK;
}

/* Rows of each unit: those of its tokens, or, shifted, those that predict them, which the first token of a document has
 * not. NULL without memory. */
static sr_unit *units_of(const run *r, bool shifted) {
  const sr_reading *reading = &r->reading;
  sr_unit *unit = malloc((size_t)reading->units.n * sizeof *unit + 1);
  for (int64_t i = 0, document = 0; unit && i < reading->units.n; i++) {
    sr_unit u = {reading->units.number[i], i + 1 < reading->units.n ? reading->units.number[i + 1] : reading->n};
    while (document < reading->documents.n && reading->documents.number[document] < u.from) document++;
    const bool begins = document < reading->documents.n && reading->documents.number[document] == u.from;
    if (shifted && u.to > u.from) u.from -= !begins, u.to--;
    unit[i] = u;
  }
  return unit;
}

static sr_status pool_units(run *r, sr_pool_spec spec, bool shifted, sr_pooled *pooled) {
  sr_unit *unit = units_of(r, shifted);
  spec.n = r->reading.n, spec.units = r->reading.units.n;
  spec.unit = unit, spec.rows = &r->rows;
  const bool there = unit != NULL;
  sr_status status = sr_agree(r->comm, there ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory to pool"));
  if (status == SR_OK) status = sr_pool(r->comm, &spec, pooled);
  free(unit);
  return status;
}

static sr_status pool_hidden(run *r) {
  const sr_description *d = &r->saved->description;
  sr_stack_state state;
  if (!makes(r, SR_RUN_EMBEDDING)) return SR_OK;
  sr_stack_get(r->layers, &state);
  const sr_pool_spec spec = {
      .kind = d->pooling, .normalised = d->normalised, .width = r->stack->width, .values = state.hidden};
  return pool_units(r, spec, false, &r->embedding);
}

/* The units that are reported. */
static sr_status find_top(run *r) {
  const int64_t n = r->job->top;
  sr_run_report *report = r->report;
  sr_ranked *top = malloc((size_t)n * sizeof *top + 1);
  report->top = calloc((size_t)n + 1, sizeof *report->top);
  const bool there = top && report->top;
  sr_status status = sr_agree(r->comm, there ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory to rank units"));
  if (status == SR_OK) status = sr_rank_units(r->comm, &r->surprise.unit, r->surprise.values, n, top, &report->n_top);
  const sr_numbers *offsets = &r->reading.unit_offsets;
  for (int64_t i = 0; status == SR_OK && i < report->n_top; i++) {
    const int64_t unit = top[i].unit, next = unit + 1;
    report->top[i] =
        (sr_run_unit){top[i], offsets->number[unit], next < offsets->n ? offsets->number[next] : INT64_MAX};
  }
  free(top);
  return status;
}

static sr_status pool_surprise(run *r) {
  if (!makes(r, SR_RUN_SURPRISE)) return SR_OK;
  SR_TRY(pool_units(r, (sr_pool_spec){.kind = SR_POOLING_MEAN, .width = 1, .values = r->logprob}, true, &r->surprise));
  for (int64_t i = 0; i < r->surprise.unit.n; i++) r->surprise.values[i] = 0 - r->surprise.values[i];
  return r->job->top > 0 ? find_top(r) : SR_OK;
}

/* Whether layers behind the one that is asked for are needed. */
static bool needs_all(const run *r) {
  return predicts_any(r) || makes(r, SR_RUN_EMBEDDING) || (r->job->layer < 0 && makes(r, SR_RUN_HIDDEN));
}

static sr_status compute(run *r) {
  const int64_t first = r->job->layer + 1;
  if (first == 0 && !needs_all(r)) return SR_OK;
  sr_stack_begin(r->layers, r->reading.id);
  SR_TRY(advance(r, first));
  if (first > 0) SR_TRY(write_layer(r));
  if (!needs_all(r)) return SR_OK;
  SR_TRY(advance(r, r->stack->layers - first));
  sr_stack_end(r->layers);
  if (first == 0) SR_TRY(write_layer(r));
  SR_TRY(predict(r));
  SR_TRY(pool_hidden(r));
  return pool_surprise(r);
}

/* Rows of a table that all ranks have: each writes those of its tokens. */
static sr_status write_table(run *r, sr_run_output output, const void *table, uint64_t row_bytes) {
  for (int i = 0; makes(r, output) && i < r->rows.n_spans; i++) {
    const sr_span span = r->rows.span[i];
    SR_TRY(sr_output_write(r->output, r->place[output], &(sr_rows){span.count, 1, &span},
                           (const char *)table + (uint64_t)span.start * row_bytes));
  }
  return SR_OK;
}

/* All rows but the text's last token, which has no next one. */
static sr_status write_logprob(run *r) {
  int64_t row = 0;
  for (int i = 0; makes(r, SR_RUN_LOGPROB) && i < r->rows.n_spans; i++) {
    sr_span span = r->rows.span[i];
    const float *from = r->logprob + row;
    row += span.count;
    if (span.start + span.count == r->reading.n) span.count--;
    if (span.count > 0)
      SR_TRY(sr_output_write(r->output, r->place[SR_RUN_LOGPROB], &(sr_rows){span.count, 1, &span}, from));
  }
  return SR_OK;
}

/* Units that begin on this rank, in runs of neighbours. */
static sr_status write_pooled(run *r, sr_run_output output, const sr_pooled *pooled, int64_t width) {
  const sr_numbers *unit = &pooled->unit;
  for (int64_t i = 0, n; makes(r, output) && i < unit->n; i += n) {
    for (n = 1; i + n < unit->n && unit->number[i + n] == unit->number[i] + n;) n++;
    const sr_span span = {unit->number[i], n};
    SR_TRY(sr_output_write(r->output, r->place[output], &(sr_rows){n, 1, &span}, pooled->values + i * width));
  }
  return SR_OK;
}

/* Rank 0 has no more to do than the others. */
static sr_status write_units(run *r) {
  const sr_span all = {0, r->reading.units.n};
  if (!makes(r, SR_RUN_UNITS) || r->rank > 0) return SR_OK;
  return sr_output_write(r->output, r->place[SR_RUN_UNITS], &(sr_rows){all.count, 1, &all},
                         r->reading.unit_offsets.number);
}

static sr_status write_output(run *r) {
  const double start = sr_now();
  sr_status status = write_table(r, SR_RUN_TOKENS, r->reading.id, sizeof *r->reading.id);
  if (status == SR_OK) status = write_table(r, SR_RUN_OFFSETS, r->reading.offset, sizeof *r->reading.offset);
  if (status == SR_OK) status = write_logprob(r);
  if (status == SR_OK) status = write_pooled(r, SR_RUN_EMBEDDING, &r->embedding, r->stack->width);
  if (status == SR_OK) status = write_pooled(r, SR_RUN_SURPRISE, &r->surprise, 1);
  if (status == SR_OK) status = write_units(r);
  r->write_s += sr_now() - start;
  return sr_agree(r->comm, status);
}

/* Nothing that has no influence on the results. */
static char *provenance_of(const run *r) {
  const sr_run_job *job = r->job;
  const int64_t window[2] = {job->mask.window_left, job->mask.window_right};
  json_t *json =
      json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:I, s:I}", "program", "seqring run", "versions",
                sr_versions_json(), "model", sr_json_text(job->model), "text", sr_json_text(job->texts), "source",
                sr_json_text(job->source), "tokens", (json_int_t)r->reading.n, "documents",
                (json_int_t)r->reading.documents.n, "units", (json_int_t)r->reading.units.n, "window",
                sr_json_dims(window, 2), "sinks", (json_int_t)job->mask.sinks, "layer", (json_int_t)job->layer);
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
  } all[] = {{r->load_s, &report->load_s},
             {r->forward_s, &report->forward_s},
             {r->head_s, &report->head_s},
             {r->write_s, &report->write_s},
             {(double)sr_memory_peak(), &report->peak}};
  report->wall_s = wall_s;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) SR_TRY(sr_spread_find(r->comm, all[i].mine, all[i].spread));
  return SR_OK;
}

static sr_status prepare(run *r) {
  SR_TRY(sr_mpi(MPI_Comm_rank(r->comm, &r->rank), "MPI_Comm_rank"));
  SR_TRY(sr_saved_share(r->comm, r->job->model, r->saved));
  choose_stack(r);
  SR_TRY(choose_outputs(r));
  SR_TRY(read_text(r));
  SR_TRY(sr_fit_threads(r->comm, r->job->threads, &r->fit));
  SR_TRY(sr_mpi(MPI_Comm_size(r->comm, &r->report->ranks), "MPI_Comm_size"));
  r->report->threads = r->fit.placement.threads;
  r->report->tokens = r->reading.n;
  r->report->documents = r->reading.documents.n;
  r->report->units = r->reading.units.n;
  warn_of_length(r);
  SR_TRY(sr_fit_warn(r->comm, &r->fit, warn, r));
  SR_TRY(estimate(r));
  return check_memory(r);
}

static sr_status work(run *r) {
  SR_TRY(load(r));
  SR_TRY(compute(r));
  return write_output(r);
}

static sr_status perform(run *r) {
  const double start = sr_now();
  SR_TRY(prepare(r));
  if (r->job->dry_run) return SR_OK;
  SR_TRY(create_output(r));
  sr_status status = work(r);
  if (status == SR_ERR_MPI) return status;
  SR_TRY(complete(r, status));
  return report_on(r, sr_now() - start);
}

static void free_all(run *r) {
  sr_stack_destroy(&r->layers);
  sr_encoding_free(&r->encoding);
  sr_store_close(&r->store);
  sr_reading_free(&r->reading);
  sr_pooled_free(&r->embedding);
  sr_pooled_free(&r->surprise);
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

void sr_run_report_free(sr_run_report *report) {
  free(report->top);
  report->top = NULL;
}
