#include "sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* Reads the whole of an item. */
typedef bool read_fn(const char *text, sr_item *item);

static const int64_t tokens_max = INT64_C(1) << 40;

/* A whole number from least to most up to the character stop, with a suffix k or M; moves *text behind it. */
static bool read_number(const char **text, char stop, int64_t least, int64_t most, int64_t *value) {
  size_t digits = strspn(*text, "0123456789");
  if (digits < 1 || digits > 15) return false;
  int64_t number = strtoll(*text, NULL, 10);
  const char *end = *text + digits;
  int64_t unit = *end == 'k' ? 1024 : *end == 'M' ? 1024 * 1024 : 1;
  if (unit > 1) end++;
  if (*end != stop || number > most / unit || number * unit < least) return false;
  *value = number * unit;
  *text = end;
  return true;
}

static bool read_tokens(const char *text, sr_item *item) {
  return read_number(&text, '\0', 1, tokens_max, &item->first);
}

static bool read_queries(const char *text, sr_item *item) {
  item->first = 0;
  return !strcmp(text, "all") || read_tokens(text, item);
}

/* "A" or "A:B"; B is A where it is left out. */
static bool read_pair(const char *text, int64_t most, sr_item *item) {
  if (read_number(&text, '\0', 1, most, &item->first)) {
    item->second = item->first;
    return true;
  }
  if (!read_number(&text, ':', 1, most, &item->first)) return false;
  text++;
  return read_number(&text, '\0', 1, most, &item->second);
}

static bool read_heads(const char *text, sr_item *item) {
  return read_pair(text, 1 << 20, item) && item->first % item->second == 0;
}

static bool read_dim(const char *text, sr_item *item) {
  return read_pair(text, SR_HEAD_DIM_MAX, item);
}

/* first: causal, second: window. */
static bool read_mask(const char *text, sr_item *item) {
  *item = (sr_item){.first = strcmp(text, "full") != 0, .second = -1};
  if (!item->first || !strcmp(text, "causal")) return true;
  const char *length = text + strlen("window:");
  return !strncmp(text, "window:", strlen("window:")) && read_number(&length, '\0', 0, tokens_max, &item->second);
}

static const struct {
  const char *name;
  sr_dtype dtype;
} dtypes[] = {{"f16", SR_F16}, {"bf16", SR_BF16}, {"f32", SR_F32}, {"f64", SR_F64}};

static bool read_dtype(const char *text, sr_item *item) {
  for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
    if (strcmp(text, dtypes[i].name)) continue;
    item->first = dtypes[i].dtype;
    return true;
  }
  return false;
}

static bool read_threads(const char *text, sr_item *item) {
  item->first = 0;
  return !strcmp(text, "auto") || read_number(&text, '\0', 1, 4096, &item->first);
}

static bool read_strategy(const char *text, sr_item *item) {
  sr_strategy_words words;
  if (!sr_strategy_read(text, &words)) return false;
  *item = (sr_item){(int64_t)words.strategy, words.head_ranks, words.ring_ranks};
  return true;
}

static bool read_balance(const char *text, sr_item *item) {
  for (item->first = 0; item->first <= SR_BALANCE_WEIGHTED; item->first++)
    if (!strcmp(text, sr_balance_name((sr_balance)item->first))) return true;
  return false;
}

static const struct {
  const char *name;
  read_fn *read;
  const char *expected;
} axes[SR_N_AXES] = {
    [SR_AXIS_DTYPE] = {"dtype", read_dtype, "f16, bf16, f32 or f64"},
    [SR_AXIS_HEADS] = {"heads", read_heads,
                       "a number of heads such as 8, or such as 8:2 for 8 query heads on 2 KV heads"},
    [SR_AXIS_DIM] = {"dim", read_dim, "a width from 1 to 512 such as 64, or such as 64:48 where that of v is another"},
    [SR_AXIS_QUERIES] = {"queries", read_queries, "all or a number of tokens such as 16, 64k or 1M"},
    [SR_AXIS_SEQ] = {"seq", read_tokens, "a number of tokens such as 4096, 64k or 1M"},
    [SR_AXIS_MASK] = {"mask", read_mask, "full, causal or window:L such as window:1024"},
    [SR_AXIS_THREADS] = {"threads", read_threads, "auto or a number of threads from 1 to 4096"},
    [SR_AXIS_STRATEGY] = {"strategy", read_strategy, "auto, ring, window, node, ulysses, hybrid, hybrid:UxR or decode"},
    [SR_AXIS_BALANCE] = {"balance", read_balance, "auto, contiguous, zigzag or weighted"},
};

sr_status sr_list_parse(sr_axis axis, const char *text, sr_list *list) {
  *list = (sr_list){0};
  for (;;) {
    char item[64];
    size_t length = strcspn(text, ",");
    snprintf(item, sizeof item, "%.*s", (int)(length < sizeof item ? length : sizeof item), text);
    if (list->n == SR_AXIS_ITEMS)
      return sr_fail(SR_ERR_ARGUMENT, "--%s: '%s' is more than the %d items that a list may have", axes[axis].name,
                     item, SR_AXIS_ITEMS);
    if (length >= sizeof item || !axes[axis].read(item, &list->item[list->n]))
      return sr_fail(SR_ERR_ARGUMENT, "--%s: '%s' is not %s", axes[axis].name, item, axes[axis].expected);
    list->n++;
    if (!text[length]) return SR_OK;
    text += length + 1;
  }
}

int64_t sr_sweep_cases(const sr_sweep *sweep) {
  int64_t n = 1;
  for (int axis = 0; axis < SR_N_AXES; axis++) n *= sweep->axis[axis].n;
  return n;
}

sr_case sr_sweep_case(const sr_sweep *sweep, int64_t i) {
  sr_item at[SR_N_AXES];
  for (int axis = SR_N_AXES - 1; axis >= 0; axis--) {
    at[axis] = sweep->axis[axis].item[i % sweep->axis[axis].n];
    i /= sweep->axis[axis].n;
  }
  return (sr_case){.dtype = (sr_dtype)at[SR_AXIS_DTYPE].first,
                   .q_heads = at[SR_AXIS_HEADS].first,
                   .kv_heads = at[SR_AXIS_HEADS].second,
                   .head_dim = at[SR_AXIS_DIM].first,
                   .value_dim = at[SR_AXIS_DIM].second,
                   .q_len = sr_sweep_q_len(at[SR_AXIS_QUERIES], at[SR_AXIS_SEQ]),
                   .kv_len = at[SR_AXIS_SEQ].first,
                   .causal = at[SR_AXIS_MASK].first != 0,
                   .window = at[SR_AXIS_MASK].second,
                   .threads = (int)at[SR_AXIS_THREADS].first,
                   .strategy = {(sr_strategy)at[SR_AXIS_STRATEGY].first, (int)at[SR_AXIS_STRATEGY].second,
                                (int)at[SR_AXIS_STRATEGY].third},
                   .balance = (sr_balance)at[SR_AXIS_BALANCE].first};
}

static void write_pair(int64_t first, int64_t second, char text[48]) {
  int n = snprintf(text, 48, "%" PRId64, first);
  if (second != first) snprintf(text + n, 48 - (size_t)n, ":%" PRId64, second);
}

void sr_case_describe(const sr_case *what, sr_case_text *text) {
  *text = (sr_case_text){.dtype = "?"};
  for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
    if (dtypes[i].dtype == what->dtype) text->dtype = dtypes[i].name;
  write_pair(what->q_heads, what->kv_heads, text->heads);
  write_pair(what->head_dim, what->value_dim, text->dim);
  if (what->window >= 0)
    snprintf(text->mask, sizeof text->mask, "window:%" PRId64, what->window);
  else
    snprintf(text->mask, sizeof text->mask, "%s", what->causal ? "causal" : "full");
}
