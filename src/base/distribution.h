/* Strategies in words. */
#ifndef SR_BASE_DISTRIBUTION_H
#define SR_BASE_DISTRIBUTION_H

#include <seqring/distribution.h>
#include <stdbool.h>

/* "ring" and so on, or "hybrid:4x2" for groups of 4 ranks that deal their heads, in a ring of 2. */
typedef struct sr_strategy_words {
  sr_strategy strategy;
  int head_ranks, ring_ranks; /* 0: not named */
} sr_strategy_words;

enum { SR_STRATEGY_TEXT = 40 };

/* Reads the words; false when they are no strategy. */
bool sr_strategy_read(const char *text, sr_strategy_words *words);

/* Writes them. */
void sr_strategy_write(const sr_strategy_words *words, char text[SR_STRATEGY_TEXT]);

#endif
