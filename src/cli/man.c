#include "man.h"

#include <seqring/version.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "exits.h"
#include "stats.h"
#include "version.h"

/* Prints running text: backslashes and hyphens escaped, no line beginning with a control character. */
static void put(const char *text) {
  if (*text == '.' || *text == '\'') fputs("\\&", stdout);
  for (; *text; text++) {
    if (*text == '\\')
      fputs("\\e", stdout);
    else if (*text == '-')
      fputs("\\-", stdout);
    else
      putchar(*text);
  }
}

static void line(const char *text) {
  put(text);
  putchar('\n');
}

static void section(const char *name) {
  printf(".SH %s\n", name);
}

static void term(const char *name) {
  fputs(".TP\n\\fB", stdout);
  put(name);
  puts("\\fR");
}

static void example(const char *what, const char *command) {
  puts(".PP");
  line(what);
  puts(".PP\n.nf\n.RS");
  line(command);
  puts(".RE\n.fi");
}

static void put_option(const sr_option *option) {
  puts(".TP");
  if (option->letter) {
    printf("\\fB\\-%c\\fR, ", option->letter);
  }
  fputs("\\fB", stdout);
  if (!option->positional) {
    put("--");
    put(option->name);
  }
  fputs("\\fR", stdout);
  if (option->argument) {
    fputs(option->positional ? "\\fI" : " \\fI", stdout);
    put(option->argument);
    fputs("\\fR", stdout);
  }
  putchar('\n');
  line(option->help);
  if (option->standard) {
    put("Default: ");
    put(option->standard);
    puts(".");
  }
}

static void put_commands(void) {
  for (int i = 0; i < sr_n_commands; i++) {
    const sr_command *command = &sr_command_table[i];
    printf(".SS seqring %s", command->name);
    putchar(command->synopsis[0] ? ' ' : '\n');
    if (command->synopsis[0]) line(command->synopsis);
    line(command->description);
    for (int j = 0; j < sr_n_options; j++)
      if ((sr_option_table[j].commands & command->bit) && sr_option_table[j].commands != SR_FOR_ALL)
        put_option(&sr_option_table[j]);
  }
  puts(".SS Every command");
  for (int j = 0; j < sr_n_options; j++)
    if (sr_option_table[j].commands == SR_FOR_ALL) put_option(&sr_option_table[j]);
  puts(".PP");
  line("A switch is undone by --no-NAME. No option but text and source may be given twice, and none may be "
       "abbreviated.");
}

static void put_config(void) {
  section("CONFIGURATION FILE");
  line("A YAML mapping of option names to their values as on the command line, such as");
  puts(".PP\n.nf\n.RS");
  line("input: king.h5\ncausal: yes\nwindow: 1023,0");
  puts(".RE\n.fi\n.PP");
  line("What the command line gives wins. Names of files are relative to the folder in which seqring starts. Keys are "
       "the options of the command, but for config, help and version. Several files are the lines of a block "
       "(\"text: |\").");
}

static void put_files(void) {
  section("FILES");
  term("Input of attend");
  line("Datasets q [queries, query heads, width], k [keys, KV heads, width] and v [keys, KV heads, width of v] of "
       "float16, float32 or float64, or of uint16 with the attribute dtype = \"bfloat16\". The query heads are a "
       "multiple of the KV heads. A dataset documents, of int32 or int64, tells where documents begin that do not see "
       "one another.");
  term("Output of attend");
  line("Datasets o [queries, query heads, width of v] and lse [queries, query heads], the natural logarithm of the sum "
       "of exp(scaled scores), and the attribute provenance, a JSON text. A query that sees no key has o = 0 and lse = "
       "-inf.");
  term("Model file");
  line("One dataset a weight, by the name of what it does, and those of the tokenizer; the attribute model holds the "
       "description and the tokenizer's settings as a JSON text.");
  term("Output of run");
  line("The datasets of --outputs: tokens [tokens], offsets [tokens], logprob [tokens - 1], hidden [tokens, width], "
       "embedding [units, width], surprise [units], units [units], q [tokens, heads, width of a head], k and v "
       "[tokens, KV heads, width of a head].");
}

static void put_stats(void) {
  section("STATISTICS");
  line("Keys of the JSON object that --stats writes:");
  for (int i = 0; i < sr_n_stats_keys; i++) {
    term(sr_stats_key_table[i].name);
    line(sr_stats_key_table[i].meaning);
  }
}

static void put_exits(void) {
  section("EXIT STATUS");
  line("The same on every rank.");
  for (int i = 0; i < sr_n_exits; i++) {
    char number[16];
    snprintf(number, sizeof number, "%d", sr_exit_table[i].status);
    term(number);
    line(sr_exit_table[i].meaning);
  }
}

static void put_environment(void) {
  section("ENVIRONMENT");
  term("OMP_NUM_THREADS");
  line("Threads of a rank, where --threads does not tell.");
  term("OMP_THREAD_LIMIT");
  line("No rank has more threads.");
  term("SEQRING_ISA");
  line("Instruction set of the kernels: portable, avx2, avx512 or avx512bf16; by default the best of the machine. "
       "All ranks must use the same.");
  term("OPENBLAS_CORETYPE");
  line("Processor whose matrix products OpenBLAS takes, such as Haswell or SkylakeX; by default the one it finds, or "
       "where it does not know that, the latest of these two that the machine can be. All ranks of run and generate "
       "must use the same.");
}

static void put_examples(void) {
  section("EXAMPLES");
  example("Causal attention on two ranks, with 64 queries checked in float64:",
          "mpirun -n 2 --bind-to none seqring attend in.h5 -o out.h5 --causal --verify 64");
  example("What a run on four ranks would need:",
          "mpirun -n 4 --oversubscribe seqring attend in.h5 --causal --dry-run");
  example("Attention of long and short sequences beside what the machine can do, as a table and for a spreadsheet:",
          "seqring bench attention --seq 4k,16k --dim 64,128 --mask full,causal --dtype f32,bf16 --threads 1,2\n"
          "seqring bench attention --seq 64k --queries 1,16 --heads 32:8 --csv > decode.csv");
  example("A run file, with one option changed:",
          "mpirun -n 2 --bind-to none seqring attend --config run.yaml --no-causal");
}

void sr_man_print(void) {
  printf(".TH SEQRING 1 \"\" \"seqring %s\" \"User Commands\"\n.nh\n.ad l\n", sr_version());
  section("NAME");
  line("seqring - exact attention over sequences sharded over MPI ranks");
  section("SYNOPSIS");
  for (int i = 0; i < sr_n_commands; i++) {
    printf("%s\\fBseqring %s\\fR ", i ? ".br\n" : "", sr_command_table[i].name);
    line(sr_command_table[i].synopsis);
  }
  section("DESCRIPTION");
  line("seqring computes attention over sequences too long for one machine. The sequence is cut over the ranks of an "
       "MPI job, blocks of keys and values travel round a ring of them, and each rank folds every block into the "
       "online softmax of its queries; up to 16 queries travel themselves, and keys and values stay. A query at "
       "position p sees the key at position j when no mask says otherwise: see --causal, --window and --q-start.");
  section("COMMANDS");
  put_commands();
  put_config();
  put_files();
  put_stats();
  put_exits();
  put_environment();
  put_examples();
  section("LICENCE");
  line(SR_LICENCE);
}
