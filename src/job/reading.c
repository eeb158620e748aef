#include "reading.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/rows.h"
#include "comm/comm.h"
#include "model/tokenizer.h"

/* A reading in the making. */
typedef struct maker {
  const sr_reading_request *request;
  sr_reading *to;
  sr_text text;
  bool full;
} maker;

static sr_status no_memory(const sr_reading_request *request) {
  return sr_fail(SR_ERR_RESOURCE, "%.200s: no memory for its tokens", request->texts);
}

static bool grow(sr_reading *t) {
  if (t->n < t->room) return true;
  t->room = t->room ? 2 * t->room : 4096;
  int32_t *more_ids = realloc(t->id, (size_t)t->room * sizeof *t->id);
  if (more_ids) t->id = more_ids;
  int64_t *more_offsets = realloc(t->offset, (size_t)t->room * sizeof *t->offset);
  if (more_offsets) t->offset = more_offsets;
  return more_ids && more_offsets;
}

/* A sink that ends the reading, as if it had failed, when there are enough. */
static sr_status keep_token(void *data, int32_t id, int64_t offset) {
  maker *m = data;
  sr_reading *t = m->to;
  m->full = m->request->limit > 0 && t->n == m->request->limit;
  if (m->full) return SR_ERR_INTERNAL;
  if (!grow(t)) return no_memory(m->request);
  t->id[t->n] = id;
  t->offset[t->n++] = offset;
  return SR_OK;
}

/* Units of the document that begins with a token, from one of the text's units on: each has the tokens from the first
 * that begins in it. */
static bool keep_units(maker *m, int64_t token, int64_t unit) {
  sr_reading *t = m->to;
  for (; unit < m->text.units.n; unit++) {
    const int64_t offset = m->text.units.number[unit];
    while (token < t->n && t->offset[token] < offset) token++;
    if (m->full && token == t->n) return true; /* it is behind the limit */
    if (!sr_numbers_add(&t->units, token) || !sr_numbers_add(&t->unit_offsets, offset)) return false;
  }
  return true;
}

static sr_status read_document(maker *m, sr_tokenizer *tokenizer) {
  const int64_t first = m->to->n, unit = m->text.units.n > 0 ? m->text.units.n - 1 : 0;
  sr_status status = sr_tokenizer_read(tokenizer, &m->text, &(sr_token_sink){keep_token, m});
  if (m->full) status = SR_OK;
  if (status != SR_OK || m->to->n == first) return status;
  if (sr_numbers_add(&m->to->documents, first) && keep_units(m, first, unit)) return SR_OK;
  return no_memory(m->request);
}

static sr_status read_documents(maker *m, sr_tokenizer *tokenizer) {
  bool more;
  m->text.refuses_empty = !m->request->may_be_empty;
  SR_TRY(sr_text_next(&m->text, &more));
  if (!more) SR_TRY(read_document(m, tokenizer));
  while (more && !m->full) {
    SR_TRY(read_document(m, tokenizer));
    if (!m->full) SR_TRY(sr_text_next(&m->text, &more));
  }
  if (m->to->n == 0) return sr_fail(SR_ERR_INPUT, "%.200s: the text has no token", m->request->texts);
  return SR_OK;
}

static sr_status read_all(const sr_reading_request *request, const sr_vocabulary *vocabulary, sr_reading *reading) {
  maker m = {.request = request, .to = reading};
  sr_tokenizer *tokenizer;
  SR_TRY(sr_tokenizer_create(request->model, vocabulary, &tokenizer));
  sr_status status = sr_text_open(request->texts, request->document, request->unit, &m.text);
  if (status == SR_OK) status = read_documents(&m, tokenizer);
  sr_text_close(&m.text);
  sr_tokenizer_destroy(&tokenizer);
  return status;
}

/* Rank 0's n elements on all ranks. */
static sr_status share(MPI_Comm comm, const sr_reading_request *request, void **array, int64_t n, size_t size) {
  int rank;
  SR_TRY(sr_comm_rank(comm, &rank));
  if (rank > 0) *array = malloc((size_t)n * size + 1);
  SR_TRY(sr_agree(comm, *array || n == 0 ? SR_OK : no_memory(request)));
  return sr_comm_bcast(comm, *array, (uint64_t)n * size, 0);
}

static sr_status share_numbers(MPI_Comm comm, const sr_reading_request *request, sr_numbers *numbers) {
  void *array = numbers->number;
  SR_TRY(sr_comm_bcast(comm, &numbers->n, sizeof numbers->n, 0));
  sr_status status = share(comm, request, &array, numbers->n, sizeof *numbers->number);
  numbers->number = array;
  return status;
}

static sr_status share_all(MPI_Comm comm, const sr_reading_request *request, sr_reading *r) {
  void *ids = r->id, *offsets = r->offset;
  SR_TRY(sr_comm_bcast(comm, &r->n, sizeof r->n, 0));
  sr_status status = share(comm, request, &ids, r->n, sizeof *r->id);
  r->id = ids;
  if (status == SR_OK) status = share(comm, request, &offsets, r->n, sizeof *r->offset);
  r->offset = offsets;
  if (status == SR_OK) status = share_numbers(comm, request, &r->documents);
  if (status == SR_OK) status = share_numbers(comm, request, &r->units);
  return status == SR_OK ? share_numbers(comm, request, &r->unit_offsets) : status;
}

sr_status sr_reading_make(MPI_Comm comm, const sr_reading_request *request, const sr_vocabulary *vocabulary,
                          sr_reading *reading) {
  int rank;
  *reading = (sr_reading){0};
  SR_TRY(sr_comm_rank(comm, &rank));
  SR_TRY(sr_agree(comm, rank == 0 ? read_all(request, vocabulary, reading) : SR_OK));
  return share_all(comm, request, reading);
}

void sr_reading_free(sr_reading *r) {
  free(r->id);
  free(r->offset);
  free(r->documents.number);
  free(r->units.number);
  free(r->unit_offsets.number);
  *r = (sr_reading){0};
}

int64_t sr_reading_longest(const sr_reading *r) {
  return sr_part_longest(r->documents.number, r->documents.n, r->n);
}
