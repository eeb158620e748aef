#include "distribution.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const strategies[] = {"auto", "ring", "window", "node", "ulysses", "hybrid", "decode"};
static const char *const balances[] = {"auto", "contiguous", "zigzag", "weighted"};

static const char *name_of(const char *const *name, size_t n, int value) {
  return value >= 0 && (size_t)value < n ? name[value] : "?";
}

const char *sr_strategy_name(sr_strategy strategy) {
  return name_of(strategies, sizeof strategies / sizeof *strategies, (int)strategy);
}

const char *sr_balance_name(sr_balance balance) {
  return name_of(balances, sizeof balances / sizeof *balances, (int)balance);
}

/* Digits of a number from 1 to 999,999,999; moves *text behind them. */
static bool read_count(const char **text, int *count) {
  const size_t digits = strspn(*text, "0123456789");
  if (digits < 1 || digits > 9) return false;
  *count = 0;
  for (size_t i = 0; i < digits; i++) *count = 10 * *count + (*text)[i] - '0';
  *text += digits;
  return *count > 0;
}

bool sr_strategy_read(const char *text, sr_strategy_words *words) {
  const char *groups = "hybrid:";
  *words = (sr_strategy_words){0};
  for (size_t i = 0; i < sizeof strategies / sizeof *strategies; i++)
    if (!strcmp(text, strategies[i])) {
      words->strategy = (sr_strategy)i;
      return true;
    }
  if (strncmp(text, groups, strlen(groups)) != 0) return false;
  text += strlen(groups);
  words->strategy = SR_STRATEGY_HYBRID;
  if (!read_count(&text, &words->head_ranks) || *text++ != 'x') return false;
  return read_count(&text, &words->ring_ranks) && !*text;
}

void sr_strategy_write(const sr_strategy_words *words, char text[SR_STRATEGY_TEXT]) {
  const char *name = sr_strategy_name(words->strategy);
  if (words->head_ranks)
    snprintf(text, SR_STRATEGY_TEXT, "%s:%dx%d", name, words->head_ranks, words->ring_ranks);
  else
    snprintf(text, SR_STRATEGY_TEXT, "%s", name);
}
