#include "options.h"

#include <inttypes.h>
#include <math.h>

#include "base/convert.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/rows.h"

enum { MOST_THREADS = 4096, LARGEST_PIECE = 1 << 28 };

/* Lengths below 2^48 keep positions, and all products of a length with a row's bytes, inside 64 bits. */
#define LONGEST ((int64_t)1 << 48)

/* Queries are multiplied by the scale before their products with keys: it must not take them out of float32's range. */
#define SMALLEST_SCALE 1e-30
#define LARGEST_SCALE  1e30

/* With distances below 2^48 scores stay in float32's range. */
#define STEEPEST_SLOPE 1e6

void sr_options_default(sr_options *options) {
  *options = (sr_options){.version = SR_OPTIONS_VERSION,
                          .dtype = SR_F32,
                          .out_dtype = SR_F32,
                          .mask = {.window_left = -1, .window_right = -1, .q_start = SR_Q_START_END},
                          .scale = (double)NAN};
}

static sr_status check_range(const char *name, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return SR_OK;
  return sr_fail(SR_ERR_ARGUMENT, "%s is %" PRId64 ", not from %" PRId64 " to %" PRId64, name, value, least, most);
}

static sr_status check_shape(const sr_options *o) {
  SR_TRY(check_range("q_len", o->q_len, 1, LONGEST));
  SR_TRY(check_range("kv_len", o->kv_len, 1, LONGEST));
  SR_TRY(check_range("q_heads", o->q_heads, 1, 1 << 20));
  SR_TRY(check_range("kv_heads", o->kv_heads, 1, 1 << 20));
  SR_TRY(check_range("head_dim", o->head_dim, 1, SR_HEAD_DIM_MAX));
  SR_TRY(check_range("value_dim", o->value_dim, 1, SR_HEAD_DIM_MAX));
  if (o->q_heads % o->kv_heads)
    return sr_fail(SR_ERR_ARGUMENT, "%" PRId64 " query heads are no multiple of %" PRId64 " KV heads", o->q_heads,
                   o->kv_heads);
  const uint64_t row = (uint64_t)o->q_heads * (uint64_t)(o->head_dim + o->value_dim) * 2 * sizeof(double);
  const int64_t longer = o->q_len > o->kv_len ? o->q_len : o->kv_len;
  uint64_t bytes;
  if (!sr_mul(row, (uint64_t)longer, &bytes) || bytes > INT64_MAX)
    return sr_fail(SR_ERR_ARGUMENT, "the shape has more bytes than a machine can count");
  return SR_OK;
}

static sr_status check_documents(const sr_mask *m, int64_t kv_len) {
  SR_TRY(check_range("n_documents", m->n_documents, 0, LONGEST));
  if (m->n_documents == 0) return SR_OK;
  if (!m->documents) return sr_fail(SR_ERR_ARGUMENT, "documents is NULL, and n_documents %" PRId64, m->n_documents);
  const int64_t wrong = sr_part_wrong(m->documents, m->n_documents, kv_len);
  if (wrong == m->n_documents) return SR_OK;
  if (wrong == 0)
    return sr_fail(SR_ERR_ARGUMENT, "the first document begins at %" PRId64 ", not at 0", m->documents[0]);
  return sr_fail(SR_ERR_ARGUMENT, "document %" PRId64 " begins at %" PRId64 ", not from %" PRId64 " to %" PRId64, wrong,
                 m->documents[wrong], m->documents[wrong - 1], kv_len);
}

sr_status sr_options_check_position(int64_t q_start) {
  return check_range("q_start", q_start, -LONGEST, LONGEST);
}

static sr_status check_mask(const sr_mask *m, int64_t kv_len) {
  SR_TRY(check_range("window_left", m->window_left, -1, LONGEST));
  SR_TRY(check_range("window_right", m->window_right, -1, LONGEST));
  if (m->q_start != SR_Q_START_END) SR_TRY(sr_options_check_position(m->q_start));
  SR_TRY(check_range("sinks", m->sinks, 0, LONGEST));
  return check_documents(m, kv_len);
}

static sr_status check_slopes(const sr_options *o) {
  if (!o->slopes) return SR_OK;
  if (!o->mask.causal) return sr_fail(SR_ERR_ARGUMENT, "slopes are for causal masks");
  for (int64_t i = 0; i < o->q_heads; i++)
    if (!(o->slopes[i] >= 0 && o->slopes[i] <= STEEPEST_SLOPE))
      return sr_fail(SR_ERR_ARGUMENT, "the slope of head %" PRId64 " is %g, not from 0 to %g", i, o->slopes[i],
                     STEEPEST_SLOPE);
  return SR_OK;
}

sr_status sr_options_check(const sr_options *o) {
  if (!o || o->version != SR_OPTIONS_VERSION)
    return sr_fail(SR_ERR_ARGUMENT, "options of an unknown version: call sr_options_default first");
  for (size_t i = 0; i < sizeof o->reserved / sizeof o->reserved[0]; i++)
    if (o->reserved[i]) return sr_fail(SR_ERR_ARGUMENT, "a reserved option is set");
  SR_TRY(check_shape(o));
  SR_TRY(check_mask(&o->mask, o->kv_len));
  if (!sr_dtype_is_float(o->dtype)) return sr_fail(SR_ERR_ARGUMENT, "dtype %d is none", (int)o->dtype);
  if (!sr_dtype_is_float(o->out_dtype)) return sr_fail(SR_ERR_ARGUMENT, "out_dtype %d is none", (int)o->out_dtype);
  if (o->scale != 0 && !isnan(o->scale) && !(fabs(o->scale) >= SMALLEST_SCALE && fabs(o->scale) <= LARGEST_SCALE))
    return sr_fail(SR_ERR_ARGUMENT, "scale is %g, whose size is not 0 or from %g to %g", o->scale, SMALLEST_SCALE,
                   LARGEST_SCALE);
  SR_TRY(check_range("threads", o->threads, 0, MOST_THREADS));
  SR_TRY(check_range("products", (int64_t)o->products, SR_PRODUCTS_AUTO, SR_PRODUCTS_BF16));
  SR_TRY(check_range("strategy", (int64_t)o->strategy, SR_STRATEGY_AUTO, SR_STRATEGY_DECODE));
  SR_TRY(check_range("head_ranks", o->head_ranks, 0, INT32_MAX));
  if (o->piece_bytes > LARGEST_PIECE) return sr_fail(SR_ERR_ARGUMENT, "piece_bytes is above %d", (int)LARGEST_PIECE);
  if (o->head_ranks && o->strategy != SR_STRATEGY_HYBRID)
    return sr_fail(SR_ERR_ARGUMENT, "head_ranks are for the strategy hybrid, not %s", sr_strategy_name(o->strategy));
  SR_TRY(check_range("balance", (int64_t)o->balance, SR_BALANCE_AUTO, SR_BALANCE_WEIGHTED));
  if (o->same_rows && o->balance == SR_BALANCE_WEIGHTED)
    return sr_fail(SR_ERR_ARGUMENT, "same_rows is not for the balance weighted");
  if (o->q_room) SR_TRY(check_range("q_room", o->q_room, o->q_len, LONGEST));
  if (o->kv_room) SR_TRY(check_range("kv_room", o->kv_room, o->kv_len, LONGEST));
  SR_TRY(check_slopes(o));
  if (o->sink_queries && (o->mask.sinks == 0 || o->mask.window_left < 0))
    return sr_fail(SR_ERR_ARGUMENT, "sink_queries are for a window with sinks");
  if (o->q_room && !o->same_rows) return sr_fail(SR_ERR_ARGUMENT, "q_room is for same_rows");
  return SR_OK;
}
