#include "options.h"

#include <seqring/mask.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "nearest.h"

static const char *const dtypes[] = {"auto", "float16", "bfloat16", "float32", "float64", NULL};
static const char *const nan_policies[] = {"propagate", "error", NULL};
static const char *const products[] = {"auto", "bfloat16", NULL};
static const char *const bench_topics[] = {"attention", NULL};
static const char *const balances[] = {"auto", "contiguous", "zigzag", "weighted", NULL};

#define SETTING(member) .offset = offsetof(sr_settings, member)

/* Positions that a plan accepts. */
#define POSITION_MAX (INT64_C(1) << 48)

const sr_option sr_option_table[] = {
    {.name = "input",
     .kind = SR_KIND_PATH,
     .argument = "IN.h5",
     .commands = SR_FOR_ATTEND | SR_FOR_INFO,
     .in_config = true,
     .positional = true,
     SETTING(input),
     .help = "HDF5 file with the datasets q [tokens, heads, width], k and v."},
    {.name = "output",
     .letter = 'o',
     .kind = SR_KIND_PATH,
     .argument = "OUT.h5",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(output),
     .help =
         "HDF5 file to make, with the datasets o and lse. It has this name only once it is complete; a file that had "
         "it is replaced then."},
    {.name = "group",
     .kind = SR_KIND_PATH,
     .argument = "NAME",
     .standard = "/",
     .commands = SR_FOR_ATTEND | SR_FOR_INFO,
     .in_config = true,
     SETTING(group),
     .help = "Group of the input file that holds the datasets."},
    {.name = "causal",
     .kind = SR_KIND_FLAG,
     .standard = "no",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(causal),
     .help = "A query sees no key at a later position than its own."},
    {.name = "window",
     .kind = SR_KIND_WINDOW,
     .argument = "L,R",
     .standard = "-1,-1",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(window),
     .min = -1,
     .max = POSITION_MAX,
     .help = "A query sees at most L keys to the left of its position and R to the right, besides the one at it; -1 is "
             "unlimited."},
    {.name = "q-start",
     .kind = SR_KIND_INTEGER,
     .argument = "N",
     .standard = "end",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(q_start),
     .automatic = "end",
     .automatic_value = SR_Q_START_END,
     .min = -POSITION_MAX,
     .max = POSITION_MAX,
     .help =
         "Position of the first query; key j stands at position j. 'end' lets the last query stand where the last key "
         "does."},
    {.name = "scale",
     .kind = SR_KIND_REAL,
     .argument = "X",
     .standard = "auto",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(scale),
     .automatic = "auto",
     .help = "Factor of the scores q k; 'auto' is 1 / sqrt(width of q)."},
    {.name = "out-dtype",
     .kind = SR_KIND_CHOICE,
     .argument = "TYPE",
     .standard = "auto",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(out_dtype),
     .choice = dtypes,
     .first_choice = SR_AUTOMATIC,
     .help =
         "Element type of o: float16, bfloat16, float32 or float64; 'auto' is float64 for float64 input and float32 "
         "otherwise."},
    {.name = "nan",
     .kind = SR_KIND_CHOICE,
     .argument = "POLICY",
     .standard = "propagate",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(nan),
     .choice = nan_policies,
     .help =
         "What a NaN or Inf that some query sees does: 'propagate' computes with it and counts it, 'error' refuses the "
         "input."},
    {.name = "products",
     .kind = SR_KIND_CHOICE,
     .argument = "TYPE",
     .standard = "auto",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(products),
     .choice = products,
     .help =
         "What q, k, v and the softmax's weights are multiplied in: 'auto' is float64 for float64 input and float32 "
         "otherwise; bfloat16 rounds them to 8 bits and is 1.6 to 1.9 times as fast on processors with AVX512_BF16."},
    {.name = "strategy",
     .kind = SR_KIND_STRATEGY,
     .argument = "HOW",
     .standard = "auto",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(strategy),
     .help =
         "What travels between ranks: ring (keys and values, from neighbour to neighbour), window (keys and values, "
         "from "
         "their owner to each rank that sees them), node (keys and values, which the ranks of a node share, from node "
         "to "
         "node), ulysses (all tokens of some heads to each rank), hybrid:UxR (so in groups of U ranks, and keys and "
         "values round R groups; hybrid alone chooses U), decode (up to 16 queries), or auto. It changes no bit of the "
         "result."},
    {.name = "balance",
     .kind = SR_KIND_CHOICE,
     .argument = "HOW",
     .standard = "auto",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(balance),
     .choice = balances,
     .help =
         "How tokens are dealt to ranks: contiguous, zigzag (equal work under a causal mask), weighted (short runs of "
         "queries, dealt by the keys that they see) or auto. It changes no bit of the result."},
    {.name = "machine",
     .kind = SR_KIND_PATH,
     .argument = "FILE.json",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(machine),
     .help = "What work and messages cost here, by which strategy and balance are chosen: read from this file where it "
             "exists, else measured, in about half a second, and kept in it. Without it they are measured where they "
             "decide something that takes longer."},
    {.name = "overlap",
     .kind = SR_KIND_FLAG,
     .standard = "yes",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(overlap),
     .help =
         "Compute while keys and values are on their way; --no-overlap waits for them first, to see what it gains."},
    {.name = "piece",
     .kind = SR_KIND_INTEGER,
     .argument = "BYTES",
     .standard = "4194304",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(piece_bytes),
     .min = 1,
     .max = 1 << 28,
     .help = "Pieces in which keys and values travel. It changes no bit of the result."},
    {.name = "threads",
     .kind = SR_KIND_INTEGER,
     .argument = "N",
     .standard = "auto",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(threads),
     .automatic = "auto",
     .min = 1,
     .max = 4096,
     .help = "Threads of a rank; 'auto' is OMP_NUM_THREADS where that is set, else the node's cores over its ranks."},
    {.name = "verify",
     .kind = SR_KIND_INTEGER,
     .argument = "N",
     .standard = "0",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(verify),
     .max = INT64_MAX,
     .help = "Recompute N queries, spread over the sequence, in float64, and fail without an output when they "
             "disagree; all "
             "queries when there are fewer."},
    {.name = "verify-seed",
     .kind = SR_KIND_INTEGER,
     .argument = "N",
     .standard = "1",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(verify_seed),
     .max = INT64_MAX,
     .help = "Chooses the queries of --verify."},
    {.name = "dry-run",
     .kind = SR_KIND_FLAG,
     .standard = "no",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(dry_run),
     .help =
         "Print the plan, memory a rank, bytes that will travel and operations; compute nothing and write no file."},
    {.name = "stats",
     .kind = SR_KIND_PATH,
     .argument = "FILE.json",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(stats),
     .help = "Write what the run took to a JSON file."},
    {.name = "config",
     .kind = SR_KIND_PATH,
     .argument = "FILE.yaml",
     .commands = SR_FOR_ATTEND,
     SETTING(config),
     .help = "Read options from a YAML file, whose keys are these names; the command line wins."},
    {.name = "quiet",
     .letter = 'q',
     .kind = SR_KIND_FLAG,
     .standard = "no",
     .commands = SR_FOR_ATTEND,
     .in_config = true,
     SETTING(quiet),
     .help = "No progress line and no summary; warnings and errors only."},
    {.name = "topic",
     .kind = SR_KIND_CHOICE,
     .argument = "attention",
     .commands = SR_FOR_BENCH,
     .positional = true,
     SETTING(bench_topic),
     .choice = bench_topics,
     .first_choice = SR_BENCH_ATTENTION,
     .help = "What to measure."},
    {.name = "seq",
     .kind = SR_KIND_LIST,
     .argument = "LIST",
     .standard = "1k,4k,8k",
     .commands = SR_FOR_BENCH,
     SETTING(sweep[SR_AXIS_SEQ]),
     .help = "Numbers of keys; k is 1024, M is 1024 x 1024."},
    {.name = "queries",
     .kind = SR_KIND_LIST,
     .argument = "LIST",
     .standard = "all",
     .commands = SR_FOR_BENCH,
     SETTING(sweep[SR_AXIS_QUERIES]),
     .help = "Numbers of queries, the last of which stands where the last key does: 1 is a step of decoding; 'all' is "
             "as many as keys. Up to 16 are compared with plain reading of k and v, too."},
    {.name = "heads",
     .kind = SR_KIND_LIST,
     .argument = "LIST",
     .standard = "8",
     .commands = SR_FOR_BENCH,
     SETTING(sweep[SR_AXIS_HEADS]),
     .help = "Numbers of heads; 8:2 is 8 query heads on 2 KV heads."},
    {.name = "dim",
     .kind = SR_KIND_LIST,
     .argument = "LIST",
     .standard = "64",
     .commands = SR_FOR_BENCH,
     SETTING(sweep[SR_AXIS_DIM]),
     .help = "Widths of a head; 64:48 is 64 of q and k and 48 of v."},
    {.name = "mask",
     .kind = SR_KIND_LIST,
     .argument = "LIST",
     .standard = "full,causal",
     .commands = SR_FOR_BENCH,
     SETTING(sweep[SR_AXIS_MASK]),
     .help = "full, causal, or window:L, which is causal with at most L keys to the left of a query's own position."},
    {.name = "dtype",
     .kind = SR_KIND_LIST,
     .argument = "LIST",
     .standard = "f32",
     .commands = SR_FOR_BENCH,
     SETTING(sweep[SR_AXIS_DTYPE]),
     .help = "Element types of q, k and v: f16, bf16, f32, f64."},
    {.name = "threads",
     .kind = SR_KIND_LIST,
     .argument = "LIST",
     .standard = "auto",
     .commands = SR_FOR_BENCH,
     SETTING(sweep[SR_AXIS_THREADS]),
     .help = "Threads of a rank; 'auto' is OMP_NUM_THREADS where that is set, else the node's cores over its ranks."},
    {.name = "strategy",
     .kind = SR_KIND_LIST,
     .argument = "LIST",
     .standard = "auto",
     .commands = SR_FOR_BENCH,
     SETTING(sweep[SR_AXIS_STRATEGY]),
     .help = "What travels between ranks, as attend has it."},
    {.name = "balance",
     .kind = SR_KIND_LIST,
     .argument = "LIST",
     .standard = "auto",
     .commands = SR_FOR_BENCH,
     SETTING(sweep[SR_AXIS_BALANCE]),
     .help = "How tokens are dealt to ranks, as attend has it."},
    {.name = "repeat",
     .kind = SR_KIND_INTEGER,
     .argument = "N",
     .standard = "5",
     .commands = SR_FOR_BENCH,
     SETTING(repeat),
     .min = 1,
     .max = 1000000,
     .help = "Rounds that count."},
    {.name = "warmup",
     .kind = SR_KIND_INTEGER,
     .argument = "N",
     .standard = "1",
     .commands = SR_FOR_BENCH,
     SETTING(warmup),
     .max = 1000000,
     .help = "Rounds before them."},
    {.name = "seed",
     .kind = SR_KIND_INTEGER,
     .argument = "N",
     .standard = "1",
     .commands = SR_FOR_BENCH,
     SETTING(bench_seed),
     .max = INT64_MAX,
     .help = "Chooses the unit-normal q, k and v, and the queries of --verify."},
    {.name = "verify",
     .kind = SR_KIND_INTEGER,
     .argument = "N",
     .standard = "16",
     .commands = SR_FOR_BENCH,
     SETTING(bench_verify),
     .min = 1,
     .max = INT64_MAX,
     .help = "Recompute N queries of every line in float64; all when there are fewer."},
    {.name = "json",
     .kind = SR_KIND_FLAG,
     .commands = SR_FOR_BENCH,
     SETTING(json),
     .help = "Print a JSON object of the machine and the lines."},
    {.name = "csv",
     .kind = SR_KIND_FLAG,
     .commands = SR_FOR_BENCH,
     SETTING(csv),
     .help = "Print comma-separated values under a line of their names."},
    {.name = "command",
     .kind = SR_KIND_PATH,
     .argument = "COMMAND",
     .commands = SR_FOR_HELP,
     .positional = true,
     SETTING(topic),
     .help = "Command to explain."},
    {.name = "man",
     .kind = SR_KIND_FLAG,
     .commands = SR_FOR_HELP,
     SETTING(man),
     .help = "Print the manual page as troff."},
    {.name = "help",
     .letter = 'h',
     .kind = SR_KIND_FLAG,
     .commands = SR_FOR_ALL,
     SETTING(help),
     .help = "Print help and exit."},
    {.name = "version",
     .letter = 'V',
     .kind = SR_KIND_FLAG,
     .commands = SR_FOR_ALL,
     SETTING(version),
     .help = "Print the versions of the program and of its libraries, and exit."},
};
const int sr_n_options = (int)(sizeof sr_option_table / sizeof *sr_option_table);
_Static_assert(sizeof sr_option_table / sizeof *sr_option_table <= SR_OPTIONS_MAX, "SR_OPTIONS_MAX is too small");

void sr_settings_default(sr_settings *settings) {
  *settings = (sr_settings){0};
  for (int i = 0; i < sr_n_options; i++)
    if (sr_option_table[i].standard)
      sr_option_set(&sr_option_table[i], "default", sr_option_table[i].standard, settings);
}

static const char *nearest(unsigned command, bool keys, const char *name) {
  const char *best = "";
  int least = INT32_MAX;
  for (int i = 0; i < sr_n_options; i++) {
    const sr_option *option = &sr_option_table[i];
    if (!(option->commands & command) || (keys ? !option->in_config : option->positional)) continue;
    int distance = sr_word_distance(name, option->name);
    if (distance < least) {
      least = distance;
      best = option->name;
    }
  }
  return best;
}

const char *sr_option_nearest(unsigned command, const char *name) {
  return nearest(command, false, name);
}

const char *sr_option_nearest_key(const char *key) {
  return nearest(SR_FOR_ATTEND, true, key);
}
