#include "attend.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "comm/comm.h"
#include "costs_file.h"
#include "fit.h"
#include "pieces.h"
#include "provenance.h"
#include "report.h"
#include "result.h"

/* A job under way. Starts zeroed; what is NULL has not been made. */
typedef struct run {
  MPI_Comm comm;
  int rank;
  const sr_attend_job *job;
  sr_attend_report *report;
  sr_options options;
  sr_fit fit;
  sr_costs costs;
  sr_input *input;
  sr_output *output;
  sr_plan *plan;
  void *q, *k, *v, *o, *lse;
  int64_t *documents; /* where they begin */
  sr_measured measured;
} run;

static void fill_options(run *r) {
  const sr_attend_job *job = r->job;
  const sr_input_info *input = job->input;
  sr_options *opt = &r->options;
  sr_options_default(opt);
  opt->q_len = input->q_len;
  opt->kv_len = input->kv_len;
  opt->q_heads = input->q_heads;
  opt->kv_heads = input->kv_heads;
  opt->head_dim = input->head_dim;
  opt->value_dim = input->value_dim;
  opt->dtype = input->dtype;
  opt->out_dtype = job->out_dtype_given ? job->out_dtype : input->dtype == SR_F64 ? SR_F64 : SR_F32;
  opt->mask = job->mask;
  opt->mask.documents = r->documents;
  opt->mask.n_documents = input->n_documents;
  opt->scale = job->scale;
  opt->products = job->products;
  opt->strategy = job->strategy.strategy;
  opt->head_ranks = job->strategy.head_ranks;
  opt->balance = job->balance;
  opt->no_overlap = job->no_overlap;
  opt->piece_bytes = job->piece_bytes;
  opt->refuse_nonfinite = job->refuse_nonfinite;
  if (r->rank == 0) {
    opt->progress = job->events.progress;
    opt->progress_data = job->events.data;
  }
  r->report->out_dtype = opt->out_dtype;
}

static void warn(const run *r, const char *text) {
  sr_job_warn(&r->job->events, r->rank, text);
}

/* What is allowed, and hardly ever meant. */
static void warn_of_input(run *r) {
  const sr_input_info *in = r->job->input;
  char text[512];
  if (in->q_heads > in->q_len && in->kv_heads > in->kv_len) {
    snprintf(text, sizeof text,
             "q has %" PRId64 " heads and %" PRId64 " tokens, k %" PRId64 " and %" PRId64
             ": a file of [heads, tokens, width] would be read so, and [tokens, heads, width] is what is meant",
             in->q_heads, in->q_len, in->kv_heads, in->kv_len);
    warn(r, text);
  }
  if (r->report->plan.flops == 0) warn(r, "the mask shows no key to any query: o is 0 and lse is -inf everywhere");
}

static void warn_of_nonfinite(run *r) {
  int64_t n = r->measured.plan.nonfinite;
  char text[256];
  snprintf(text, sizeof text, "%" PRId64 " NaN or Inf %s of q, k and v that queries see went into the result", n,
           n == 1 ? "element" : "elements");
  if (n > 0) warn(r, text);
}

/* Finds what things cost, where that decides something. */
static sr_status find_costs(run *r) {
  const sr_attend_job *job = r->job;
  int ways;
  sr_plan_choice first;
  SR_TRY(sr_plan_choices(r->comm, &r->options, &first, 1, &ways));
  const bool matters = ways > 1 && (job->dry_run || first.seconds > sr_costs_worth_s);
  if (!matters && !*job->machine) return SR_OK;
  SR_TRY(sr_costs_find(r->comm, job->machine, r->options.threads, &r->costs));
  r->options.costs = &r->costs;
  return SR_OK;
}

static sr_status read_documents(run *r) {
  sr_input *input;
  SR_TRY(sr_input_open(r->job->input, &input));
  sr_status status = sr_input_documents(input, r->documents);
  sr_input_close(&input);
  return status;
}

/* Where documents begin, on all ranks. */
static sr_status find_documents(run *r) {
  const uint64_t bytes = (uint64_t)r->job->input->n_documents * sizeof *r->documents;
  if (bytes == 0) return SR_OK;
  r->documents = sr_alloc(bytes);
  SR_TRY(sr_agree_memory(r->comm, r->documents != NULL, "for where documents begin"));
  SR_TRY(sr_agree(r->comm, r->rank == 0 ? read_documents(r) : SR_OK));
  return sr_comm_bcast(r->comm, r->documents, bytes, 0);
}

/* Decides everything that the run will do. */
static sr_status decide(run *r) {
  SR_TRY(sr_comm_rank(r->comm, &r->rank));
  SR_TRY(find_documents(r));
  fill_options(r);
  SR_TRY(sr_strategy_fits(r->comm, &r->job->strategy));
  SR_TRY(sr_fit_threads(r->comm, r->job->threads, &r->fit));
  r->options.threads = r->fit.placement.threads;
  SR_TRY(find_costs(r));
  SR_TRY(sr_plan_estimate(r->comm, &r->options, &r->report->plan));
  if (r->job->dry_run)
    SR_TRY(sr_plan_choices(r->comm, &r->options, r->report->choice, SR_CHOICES_SHOWN, &r->report->n_choices));
  sr_strategy_keep(&r->report->plan, &r->options);
  SR_TRY(sr_report_places(r->comm, &r->fit.placement, r->report));
  SR_TRY(sr_fit_warn(r->comm, &r->fit, &r->job->events));
  warn_of_input(r);
  return sr_report_plan(r->comm, r->report);
}

static sr_status create_output(run *r) {
  const sr_input_info *input = r->job->input;
  sr_output_dataset dataset[SR_OUTPUT_TENSORS];
  const sr_output_spec spec = {
      .path = r->job->output, .input = input->path, .n_datasets = SR_OUTPUT_TENSORS, .dataset = dataset};
  sr_output_attention(input->q_len, input->q_heads, input->value_dim, r->options.out_dtype, r->report->plan.lse_dtype,
                      dataset);
  double start = sr_now();
  sr_status status = sr_result_create(r->comm, spec, &r->job->events, &r->output);
  r->measured.write_s += sr_now() - start;
  return status;
}

/* Bytes of one row of q, k, v, o and lse; the products fit, since the probe has seen whole tensors of them. */
typedef struct row_bytes {
  uint64_t q, k, v, o, lse;
} row_bytes;

static row_bytes row_sizes(const run *r) {
  const sr_options *opt = &r->options;
  uint64_t q_heads = (uint64_t)opt->q_heads, kv_heads = (uint64_t)opt->kv_heads;
  uint64_t head_dim = (uint64_t)opt->head_dim, value_dim = (uint64_t)opt->value_dim;
  uint64_t in = sr_dtype_size(opt->dtype), out = sr_dtype_size(opt->out_dtype);
  return (row_bytes){.q = q_heads * head_dim * in,
                     .k = kv_heads * head_dim * in,
                     .v = kv_heads * value_dim * in,
                     .o = q_heads * value_dim * out,
                     .lse = q_heads * sr_dtype_size(r->report->plan.lse_dtype)};
}

static bool allocate(void **block, int64_t rows, uint64_t bytes) {
  uint64_t size;
  *block = sr_mul((uint64_t)rows, bytes, &size) ? sr_alloc(size) : NULL;
  return *block != NULL;
}

static sr_status allocate_tensors(run *r, const sr_rows *q_rows, const sr_rows *kv_rows) {
  row_bytes size = row_sizes(r);
  bool ok = allocate(&r->q, q_rows->count, size.q) && allocate(&r->k, kv_rows->count, size.k) &&
            allocate(&r->v, kv_rows->count, size.v) && allocate(&r->o, q_rows->count, size.o) &&
            allocate(&r->lse, q_rows->count, size.lse);
  if (!ok)
    return sr_fail(SR_ERR_RESOURCE, "no memory for %" PRIu64 " bytes of q, k, v, o and lse",
                   r->report->plan.tensor_bytes);
  return SR_OK;
}

static sr_status read_piece(void *data, int tensor, const sr_rows *rows, void *at) {
  return sr_input_read(data, (sr_input_tensor)tensor, rows, at);
}

static sr_status write_piece(void *data, int tensor, const sr_rows *rows, void *at) {
  return sr_output_write(data, tensor, rows, at);
}

/* Chunks are not parted by pieces, so that none is decoded once a piece. */
static sr_status read_tensor(run *r, sr_input_tensor tensor, const sr_rows *rows, uint64_t row, void *to) {
  const int64_t unit = sr_input_chunk_rows(r->input, tensor);
  return sr_pieces(r->comm, rows, to, &(sr_piece_work){read_piece, r->input, (int)tensor, row, unit},
                   &r->measured.read_s);
}

static sr_status read_input(run *r, const sr_rows *q_rows, const sr_rows *kv_rows) {
  row_bytes size = row_sizes(r);
  double start = sr_now();
  sr_status status = sr_input_open(r->job->input, &r->input);
  r->measured.read_s += sr_now() - start;
  SR_TRY(sr_agree(r->comm, status));
  SR_TRY(read_tensor(r, SR_INPUT_Q, q_rows, size.q, r->q));
  SR_TRY(read_tensor(r, SR_INPUT_K, kv_rows, size.k, r->k));
  SR_TRY(read_tensor(r, SR_INPUT_V, kv_rows, size.v, r->v));
  sr_input_close(&r->input);
  return SR_OK;
}

/* Puts the input's name before the text of a failure that its elements are behind. */
static sr_status name_input(const run *r, sr_status named, sr_status status) {
  return status == named ? sr_fail(status, "%s: %s", r->job->input->path, sr_error_text()) : status;
}

static sr_status compute(run *r) {
  const sr_attend_job *job = r->job;
  const sr_job_events *events = &job->events;
  const sr_tensors tensors = {.q = r->q, .k = r->k, .v = r->v, .o = r->o, .lse = r->lse};
  if (r->rank == 0 && events->start) events->start(events->data, &r->report->plan);
  sr_status status = sr_plan_forward(r->plan, &tensors);
  if (r->rank == 0 && events->finish) events->finish(events->data);
  SR_TRY(name_input(r, SR_ERR_NONFINITE, status));
  sr_plan_stats_get(r->plan, &r->measured.plan);
  SR_TRY(sr_report_steps(r->comm, r->plan, r->report));
  warn_of_nonfinite(r);
  if (job->verify == 0) return SR_OK;
  int64_t queries = job->verify < r->options.q_len ? job->verify : r->options.q_len;
  status = sr_plan_verify(r->plan, &tensors, queries, job->verify_seed, &r->report->verify);
  return name_input(r, SR_ERR_WRONG, status);
}

static sr_status write_tensor(run *r, sr_output_tensor tensor, const sr_rows *rows, uint64_t row, void *from) {
  return sr_pieces(r->comm, rows, from, &(sr_piece_work){write_piece, r->output, (int)tensor, row, 1},
                   &r->measured.write_s);
}

static sr_status write_output(run *r, const sr_rows *q_rows) {
  row_bytes size = row_sizes(r);
  SR_TRY(write_tensor(r, SR_OUTPUT_O, q_rows, size.o, r->o));
  return write_tensor(r, SR_OUTPUT_LSE, q_rows, size.lse, r->lse);
}

/* From an open output to rows in it. */
static sr_status work(run *r) {
  sr_rows q_rows, kv_rows;
  SR_TRY(sr_plan_create(r->comm, &r->options, &r->plan));
  sr_plan_describe(r->plan, &r->report->plan);
  sr_plan_q_rows(r->plan, &q_rows);
  sr_plan_kv_rows(r->plan, &kv_rows);
  SR_TRY(sr_agree(r->comm, allocate_tensors(r, &q_rows, &kv_rows)));
  SR_TRY(read_input(r, &q_rows, &kv_rows));
  SR_TRY(compute(r));
  return write_output(r, &q_rows);
}

/* Completes the output, or removes it when the work has failed. */
static sr_status complete(run *r, sr_status status) {
  char *provenance = NULL;
  if (status == SR_OK) {
    provenance = sr_provenance(r->job, r->report);
    if (!provenance) status = sr_fail(SR_ERR_RESOURCE, "no memory for the provenance of '%s'", r->job->output);
  }
  double start = sr_now();
  status = sr_result_commit(&r->output, status, provenance, &r->job->events);
  r->measured.write_s += sr_now() - start;
  free(provenance);
  return status;
}

static sr_status perform(run *r) {
  double start = sr_now();
  SR_TRY(decide(r));
  if (r->job->dry_run) return SR_OK;
  const sr_plan_info *plan = &r->report->plan;
  const double own = (double)plan->workspace + (double)plan->tensor_bytes;
  SR_TRY(sr_fit_memory(r->comm, &r->fit, own, (double)plan->shared, r->job->input->path));
  SR_TRY(create_output(r));
  sr_status status = work(r);
  if (status == SR_ERR_MPI) return status;
  SR_TRY(complete(r, status));
  r->measured.wall_s = sr_now() - start;
  struct stat file;
  if (!stat(r->job->output, &file)) r->report->output_bytes = (uint64_t)file.st_size;
  return sr_report_run(r->comm, &r->measured, r->options.q_len, r->report);
}

static void free_all(run *r) {
  sr_input_close(&r->input);
  sr_plan_destroy(&r->plan);
  sr_free(r->q);
  sr_free(r->k);
  sr_free(r->v);
  sr_free(r->o);
  sr_free(r->lse);
  sr_free(r->documents);
}

void sr_attend_report_free(sr_attend_report *report) {
  free(report->step);
  free(report->place);
  report->step = NULL, report->place = NULL;
}

sr_status sr_attend_run(MPI_Comm comm, const sr_attend_job *job, sr_attend_report *report) {
  *report = (sr_attend_report){0};
  run r = {.comm = comm, .job = job, .report = report};
  sr_status status = perform(&r);
  if (status == SR_ERR_MPI)
    sr_result_abandon(r.output);
  else
    free_all(&r);
  return status;
}
