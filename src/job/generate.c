#include "generate.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "comm/comm.h"
#include "encoding.h"
#include "fit.h"
#include "length.h"
#include "model/decoding.h"
#include "need.h"
#include "reading.h"
#include "report.h"

typedef struct run {
  MPI_Comm comm;
  int rank;
  const sr_generate_job *job;
  sr_saved *saved;
  sr_generate_report *report;
  sr_fit fit;
  sr_encoding encoding;
  sr_reading reading;
  sr_store store;
  sr_decoding *decoding;
  float *logit; /* rank 0, as what follows */
  bool wanted;  /* another token is */
} run;

static sr_status check_model(const run *r) {
  const sr_description *d = &r->saved->description;
  if (!d->has_decoder || d->decoder.head == SR_HEAD_NONE)
    return sr_fail(SR_ERR_ARGUMENT, "%s: the model predicts no token: it cannot go on after a text", r->job->model);
  if (r->saved->vocabulary.n < d->decoder.vocabulary)
    return sr_fail(SR_ERR_INPUT, "%s: its tokenizer has fewer tokens than the model predicts", r->job->model);
  if (!d->decoder.causal)
    return sr_fail(SR_ERR_ARGUMENT, "%s: its tokens see what follows them: it cannot go on after a text",
                   r->job->model);
  if (!*r->job->texts && !d->has_encoder)
    return sr_fail(SR_ERR_ARGUMENT, "%s: there is no text to go on after", r->job->model);
  return SR_OK;
}

/* The end token that a tokenizer puts behind a text would end it. */
static void drop_end(run *r) {
  sr_reading *text = &r->reading;
  if (text->n > 1 && text->id[text->n - 1] == r->saved->vocabulary.last) text->n--;
}

/* Tokens that the model reads, of the text and what it makes: the last one that it makes is not read. */
static int64_t tokens_read(const run *r) {
  return r->reading.n + r->job->tokens - 1;
}

static sr_status prepare(run *r) {
  const sr_generate_job *job = r->job;
  const bool empty = !*job->texts;
  const sr_reading_request request = {.model = job->model,
                                      .texts = empty ? "/dev/null" : job->texts,
                                      .document = SR_CUT_NEVER,
                                      .unit = SR_CUT_NEVER,
                                      .limit = job->limit,
                                      .may_be_empty = empty};
  SR_TRY(sr_comm_rank(r->comm, &r->rank));
  SR_TRY(sr_saved_share(r->comm, job->model, r->saved));
  SR_TRY(check_model(r));
  SR_TRY(sr_encoding_read(r->comm, job->model, job->source, r->saved, &r->encoding));
  SR_TRY(sr_reading_make(r->comm, &request, &r->saved->vocabulary, &r->reading));
  drop_end(r);
  sr_length_warn(&r->saved->description.decoder, &job->mask, tokens_read(r), &job->events, r->rank);
  SR_TRY(sr_fit_threads(r->comm, job->threads, &r->fit));
  return sr_fit_warn(r->comm, &r->fit, &job->events);
}

static sr_stack_spec spec_of(const run *r) {
  const sr_sequence sequence = {.tokens = r->reading.n, .room = tokens_read(r), .mask = r->job->mask};
  const sr_stack *stack = &r->saved->description.decoder;
  return (sr_stack_spec){.store = &r->store,
                         .name = "decoder",
                         .stack = stack,
                         .sequence = sequence,
                         .threads = r->fit.placement.threads,
                         .source = r->encoding.run};
}

/* Refuses what does not fit. */
static sr_status check_memory(const run *r) {
  sr_need need;
  SR_TRY(sr_need_find(r->comm, r->job->model, r->saved, &r->encoding, NULL, spec_of(r), &need));
  const double own = (double)(need.stack.activations + need.stack.attention) + need.encoding;
  return sr_fit_memory(r->comm, &r->fit, own, (double)(need.stack.shared + need.weights), r->job->model);
}

static sr_status load(run *r) {
  SR_TRY(check_memory(r));
  SR_TRY(sr_store_open(r->comm, r->saved, &r->store));
  SR_TRY(sr_encoding_make(r->comm, r->saved, &r->store, r->fit.placement.threads, &r->encoding));
  const sr_stack_spec spec = spec_of(r);
  SR_TRY(sr_agree(r->comm, sr_decoding_create(r->comm, &spec, &r->decoding)));
  r->logit = malloc((size_t)r->saved->description.decoder.vocabulary * sizeof *r->logit);
  return sr_agree_memory(r->comm, r->logit != NULL, "for predictions");
}

/* In place of a token where no more are wanted. */
enum { ENOUGH = -1 };

/* Rank 0 chooses for all. */
static sr_status choose(run *r, int32_t *token) {
  const sr_generate_job *job = r->job;
  sr_status status = SR_OK;
  *token = ENOUGH;
  if (r->rank == 0 && r->wanted) {
    sr_decoding_logits(r->decoding, r->logit);
    status =
        sr_sample(&job->sampling, r->logit, r->saved->description.decoder.vocabulary, (uint64_t)r->report->made, token);
  }
  SR_TRY(sr_agree(r->comm, status));
  return sr_comm_bcast(r->comm, token, sizeof *token, 0);
}

static void tell(run *r, int32_t token) {
  const sr_vocabulary *v = &r->saved->vocabulary;
  if (r->rank == 0 && r->job->token)
    r->wanted =
        r->job->token(r->job->events.data, token, v->bytes + v->start[token], v->start[token + 1] - v->start[token]);
}

static sr_status go_on(run *r) {
  sr_generate_report *report = r->report;
  const double start = sr_now();
  SR_TRY(sr_decoding_read(r->decoding, r->reading.id));
  const double read = sr_now();
  report->read = r->reading.n;
  report->read_s = read - start;
  while (report->made < r->job->tokens) {
    int32_t token;
    SR_TRY(choose(r, &token));
    if (token == ENOUGH || sr_vocabulary_is_end(&r->saved->vocabulary, token)) break;
    tell(r, token);
    report->made++;
    if (report->made < r->job->tokens) SR_TRY(sr_decoding_take(r->decoding, token));
  }
  report->made_s = sr_now() - read;
  return sr_spread_find(r->comm, (double)sr_memory_peak(), &report->peak);
}

sr_status sr_generate_text(MPI_Comm comm, const sr_generate_job *job, sr_saved *saved, sr_generate_report *report) {
  *report = (sr_generate_report){0};
  run r = {.comm = comm, .job = job, .saved = saved, .report = report, .store = sr_store_none(), .wanted = true};
  sr_status status = prepare(&r);
  if (status == SR_OK) status = load(&r);
  if (status == SR_OK) status = go_on(&r);
  if (status == SR_ERR_MPI) return status;
  sr_decoding_destroy(&r.decoding);
  sr_encoding_free(&r.encoding);
  sr_store_close(&r.store);
  sr_reading_free(&r.reading);
  free(r.logit);
  return status;
}
