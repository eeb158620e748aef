/* What a command was asked to do: every option of the option table has its value here. */
#ifndef SR_CLI_SETTINGS_H
#define SR_CLI_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <seqring/io.h>

#include "base/distribution.h"
#include "bench/sweep.h"

/* Of settings that leave the choice to the program. */
enum { SR_AUTOMATIC = -1 };

/* Room for the text of a list. */
enum { SR_LIST_MAX = 512 };

/* And of the names of several files. */
enum { SR_PATHS_MAX = 256 << 10 };

/* What bench measures. */
typedef enum sr_bench_topic { SR_BENCH_NOTHING, SR_BENCH_ATTENTION } sr_bench_topic;

/* Plain bytes: rank 0's are broadcast. */
typedef struct sr_settings {
  char input[SR_PATH_MAX];
  char output[SR_PATH_MAX];
  char group[SR_PATH_MAX];
  char stats[SR_PATH_MAX];   /* "" for none */
  char config[SR_PATH_MAX];  /* "" for none */
  char model[SR_PATH_MAX];   /* of tokenize, run and generate */
  char texts[SR_PATHS_MAX];  /* of run and generate, '\n' between them */
  char source[SR_PATHS_MAX]; /* of run and generate, likewise */
  char outputs[SR_LIST_MAX]; /* of run, as they were given */
  int64_t layer;             /* of run, or SR_AUTOMATIC */
  int documents, unit;       /* of run: an sr_cut */
  int64_t top;               /* of run */
  char questions[SR_PATH_MAX];
  int64_t tokens;            /* of generate */
  double temperature, top_p; /* of generate */
  int64_t top_k, sampling_seed;
  bool ids;                /* of generate */
  int64_t limit;           /* of run and generate; 0: none */
  char topic[SR_PATH_MAX]; /* of help; "" for the program */
  int weights;             /* of import: an sr_weights_choice */
  bool causal;
  int64_t window[2]; /* left, right; -1: unlimited */
  int64_t sinks;
  int64_t chunk_overlap; /* of run; -1: none */
  int64_t q_start;       /* or SR_Q_START_END */
  double scale;          /* NaN: 1 / sqrt(head_dim) */
  int out_dtype;         /* an sr_dtype or SR_AUTOMATIC */
  int nan;               /* an sr_nan_policy */
  int products;          /* an sr_products */
  sr_strategy_words strategy;
  int balance;               /* an sr_balance */
  char machine[SR_PATH_MAX]; /* "" for none */
  bool overlap;
  int64_t piece_bytes;
  int64_t threads; /* 0: automatic */
  int64_t verify;
  int64_t verify_seed;
  bool dry_run;
  bool quiet;
  int bench_topic;                    /* an sr_bench_topic */
  char sweep[SR_N_AXES][SR_LIST_MAX]; /* lists, as they were given */
  int64_t repeat, warmup;
  int64_t bench_seed, bench_verify;
  bool json, csv;
  bool help, version, man;
} sr_settings;

typedef enum sr_weights_choice { SR_WEIGHTS_F32, SR_WEIGHTS_BF16, SR_WEIGHTS_I8 } sr_weights_choice;

typedef enum sr_nan_policy { SR_NAN_PROPAGATE, SR_NAN_ERROR } sr_nan_policy;

/* The settings before any option. */
void sr_settings_default(sr_settings *settings);

#endif
