/* How a problem is spread over ranks. None of it changes a bit of the result. */
#ifndef SEQRING_DISTRIBUTION_H
#define SEQRING_DISTRIBUTION_H

#ifdef __cplusplus
extern "C" {
#endif

/* What travels between ranks, and when. */
typedef enum sr_strategy {
  SR_STRATEGY_AUTO,   /* the one that the plan expects to be the fastest */
  SR_STRATEGY_RING,   /* keys and values, from neighbour to neighbour round a ring, as far as some rank sees them */
  SR_STRATEGY_WINDOW, /* keys and values, from their owner to each rank that sees them */
  SR_STRATEGY_NODE, /* keys and values of the ranks of a node lie in memory that these share, and travel round a ring of
                       nodes */
  SR_STRATEGY_ULYSSES, /* each rank gets all tokens of some heads, and hands its results back */
  SR_STRATEGY_HYBRID,  /* groups of ranks deal their heads so; keys and values travel round a ring of groups */
  SR_STRATEGY_DECODE   /* the queries, and partial results: up to SR_DECODE_QUERIES take this one and no other */
} sr_strategy;

/* How queries and keys are dealt to ranks. */
typedef enum sr_balance {
  SR_BALANCE_AUTO,       /* the one that the plan expects to be the fastest */
  SR_BALANCE_CONTIGUOUS, /* rank r holds the r-th of P equal runs */
  SR_BALANCE_ZIGZAG,     /* rank r holds the runs r and 2P-1-r of 2P: equal work under a causal mask */
  SR_BALANCE_WEIGHTED    /* keys as contiguous; queries in short runs, dealt by the number of keys that they see */
} sr_balance;

/* "ring", "contiguous" and so on; "?" for a value that is none. Not collective. */
const char *sr_strategy_name(sr_strategy strategy);
const char *sr_balance_name(sr_balance balance);

#ifdef __cplusplus
}
#endif
#endif
