#include "chunks.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rows.h"

/* Chunks in the making. */
typedef struct maker {
  const sr_reading *reading;
  const sr_vocabulary *vocabulary;
  int64_t body, step; /* tokens of the text in a chunk, and from one chunk's to the next one's */
  sr_chunks *to;
  int64_t room;
} maker;

/* Tokens [from, to) of the text, and what stands before and behind them there. */
typedef struct document {
  int64_t from, to;
  bool has_first, has_last;
} document;

static sr_status no_memory(void) {
  return sr_fail(SR_ERR_RESOURCE, "no memory to cut a text in chunks");
}

static bool add_id(maker *m, int32_t id) {
  sr_chunks *to = m->to;
  int32_t *more = sr_grow(to->own_id, to->n, &m->room, sizeof *more);
  if (!more) return false;
  to->own_id = more;
  to->own_id[to->n++] = id;
  return true;
}

static bool add_kept(sr_chunks *to, sr_kept kept) {
  sr_kept *more = sr_grow(to->kept, to->n_kept, &to->room, sizeof *more);
  if (!more) return false;
  to->kept = more;
  to->kept[to->n_kept++] = kept;
  return true;
}

/* Where the chunk that begins with a token of a document ends. */
static int64_t end_of(const maker *m, const document *d, int64_t from) {
  return d->to - from < m->body ? d->to : from + m->body;
}

/* Where the chunk behind it begins: the last one is as long as the others. */
static int64_t next_of(const maker *m, const document *d, int64_t from) {
  const int64_t last = d->to - m->body;
  return from + m->step < last ? from + m->step : last;
}

/* Adds a chunk of a document. Those of its tokens count that are from the middle of what it shares with the one before
 * it, which began at `before`, or from the document's begin, to likewise. */
static bool add_chunk(maker *m, const document *d, int64_t before, int64_t from) {
  sr_chunks *to = m->to;
  const sr_vocabulary *v = m->vocabulary;
  const int64_t end = end_of(m, d, from), begin = to->n;
  const bool is_first = from == d->from, is_last = end == d->to;
  bool there = sr_numbers_add(&to->own_documents, begin);
  if (there && v->first >= 0) there = add_id(m, (int32_t)v->first);
  const int64_t body = to->n;
  for (int64_t t = from; there && t < end; t++) there = add_id(m, m->reading->id[t]);
  if (there && v->last >= 0) there = add_id(m, (int32_t)v->last);
  int64_t lo = is_first ? from : from + (end_of(m, d, before) - from) / 2, hi = end;
  if (!is_last) {
    const int64_t next = next_of(m, d, from);
    hi = next + (end - next) / 2;
  }
  sr_kept kept = {body + lo - from, lo, hi - lo};
  if (is_first && d->has_first) kept.at--, kept.token--, kept.n++;
  if (is_last && d->has_last) kept.n++;
  return there && add_kept(to, kept);
}

/* Tokens [begin, end) of the text without those at the ends of texts. */
static document document_at(const maker *m, int64_t begin, int64_t end) {
  const sr_vocabulary *v = m->vocabulary;
  document d = {begin, end, false, false};
  d.has_first = v->first >= 0 && d.to > d.from && m->reading->id[d.from] == v->first;
  d.from += d.has_first;
  d.has_last = v->last >= 0 && d.to > d.from && m->reading->id[d.to - 1] == v->last;
  d.to -= d.has_last;
  return d;
}

/* A document that needs no cut. */
static bool copy_document(maker *m, int64_t from, int64_t to) {
  const int64_t begin = m->to->n;
  bool there = sr_numbers_add(&m->to->own_documents, begin);
  for (int64_t t = from; there && t < to; t++) there = add_id(m, m->reading->id[t]);
  return there && add_kept(m->to, (sr_kept){begin, from, to - from});
}

static bool cut_document(maker *m, int64_t i, int64_t context) {
  const sr_numbers *documents = &m->reading->documents;
  const int64_t begin = documents->number[i], end = sr_part_end(documents->number, documents->n, i, m->reading->n);
  if (end - begin <= context) return copy_document(m, begin, end);
  const document d = document_at(m, begin, end);
  int64_t from = d.from, before = from;
  bool there = add_chunk(m, &d, before, from);
  while (there && end_of(m, &d, from) < d.to) {
    before = from;
    from = next_of(m, &d, from);
    there = add_chunk(m, &d, before, from);
  }
  return there;
}

/* The text as it is. */
static sr_status keep_all(const sr_reading *reading, sr_chunks *chunks) {
  chunks->n = reading->n;
  chunks->id = reading->id;
  chunks->documents = reading->documents.number;
  chunks->n_documents = reading->documents.n;
  return add_kept(chunks, (sr_kept){0, 0, reading->n}) ? SR_OK : no_memory();
}

sr_status sr_chunks_make(const sr_reading *reading, const sr_vocabulary *vocabulary, sr_chunk_rule rule,
                         sr_chunks *chunks) {
  maker m = {.reading = reading, .vocabulary = vocabulary, .to = chunks};
  *chunks = (sr_chunks){0};
  if (rule.context == 0 || sr_reading_longest(reading) <= rule.context) return keep_all(reading, chunks);
  m.body = rule.context - (vocabulary->first >= 0) - (vocabulary->last >= 0);
  m.step = m.body - rule.overlap;
  if (m.step < 1)
    return sr_fail(SR_ERR_ARGUMENT, "chunks have room for %" PRId64 " tokens of a text, and are to share %" PRId64,
                   m.body, rule.overlap);
  bool there = true;
  for (int64_t i = 0; there && i < reading->documents.n; i++) there = cut_document(&m, i, rule.context);
  chunks->id = chunks->own_id;
  chunks->documents = chunks->own_documents.number;
  chunks->n_documents = chunks->own_documents.n;
  return there ? SR_OK : no_memory();
}

void sr_chunks_free(sr_chunks *chunks) {
  free(chunks->kept);
  free(chunks->own_id);
  free(chunks->own_documents.number);
  *chunks = (sr_chunks){0};
}

int64_t sr_chunks_find(const sr_chunks *chunks, int64_t token) {
  int64_t lo = 0, hi = chunks->n_kept; /* it is one of these */
  while (hi - lo > 1) {
    const int64_t middle = lo + (hi - lo) / 2;
    if (chunks->kept[middle].token <= token)
      lo = middle;
    else
      hi = middle;
  }
  return lo;
}

sr_status sr_chunks_hold(const sr_chunks *chunks, const sr_rows *rows, sr_held **held, int64_t *n) {
  *n = 0;
  *held = calloc((size_t)(chunks->n_kept + rows->n_spans), sizeof **held);
  if (!*held) return no_memory();
  int64_t row = 0, k = 0;
  for (int i = 0; i < rows->n_spans; row += rows->span[i++].count) {
    const int64_t start = rows->span[i].start, end = start + rows->span[i].count;
    while (k < chunks->n_kept && chunks->kept[k].at + chunks->kept[k].n <= start) k++;
    for (int64_t j = k; j < chunks->n_kept && chunks->kept[j].at < end; j++) {
      const sr_kept *kept = &chunks->kept[j];
      const int64_t from = kept->at > start ? kept->at : start,
                    to = kept->at + kept->n < end ? kept->at + kept->n : end;
      if (from < to) (*held)[(*n)++] = (sr_held){row + from - start, {kept->token + from - kept->at, to - from}};
    }
  }
  return SR_OK;
}
