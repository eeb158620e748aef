/* The option table: the one source of the command line, the configuration keys, --help and the man page. */
#ifndef SR_CLI_OPTIONS_H
#define SR_CLI_OPTIONS_H

#include <seqring/status.h>

#include "settings.h"

/* Commands, as bits. */
enum {
  SR_FOR_ATTEND = 1,
  SR_FOR_INFO = 2,
  SR_FOR_HELP = 4,
  SR_FOR_VERSION = 8,
  SR_FOR_BENCH = 16,
  SR_FOR_IMPORT = 32,
  SR_FOR_TOKENIZE = 64,
  SR_FOR_RUN = 128,
  SR_FOR_GENERATE = 256,
  SR_FOR_ALL = 511
};

/* How the words of an option become a value, and the type of the setting. */
typedef enum sr_option_kind {
  SR_KIND_FLAG,     /* bool */
  SR_KIND_PATH,     /* char[SR_PATH_MAX] */
  SR_KIND_PATHS,    /* char[SR_PATHS_MAX]: several, '\n' between them; words without an option are some, too */
  SR_KIND_INTEGER,  /* int64_t from min to max, or the automatic word */
  SR_KIND_REAL,     /* finite double, or the automatic word for NaN */
  SR_KIND_WINDOW,   /* int64_t[2]: two numbers from min to max */
  SR_KIND_LIST,     /* char[SR_LIST_MAX]: items and commas, read later */
  SR_KIND_STRATEGY, /* sr_strategy_words */
  SR_KIND_CHOICE    /* int: the choice's place plus first_choice */
} sr_option_kind;

typedef struct sr_option {
  const char *name;
  char letter; /* or 0 */
  sr_option_kind kind;
  const char *argument;  /* what help calls the value; NULL for a flag */
  const char *standard;  /* the default as it is written; NULL for none */
  const char *help;      /* a sentence or two */
  unsigned commands;     /* that take it */
  bool in_config;        /* also a key of a configuration file */
  bool positional;       /* given without its name on the command line */
  size_t offset;         /* of the setting in sr_settings */
  const char *automatic; /* integer: the word for automatic_value; real: the word for NaN */
  int64_t automatic_value, min, max;
  const char *const *choice; /* NULL-terminated */
  int first_choice;
} sr_option;

/* The table, in the order of --help, its length, and room for it. */
extern const sr_option sr_option_table[];
enum { SR_OPTIONS_MAX = 96 };
extern const int sr_n_options;

/* Whether it is a switch that --no-NAME undoes: one that a configuration file may have set. */
static inline bool sr_option_is_undone(const sr_option *option) {
  return option->kind == SR_KIND_FLAG && option->in_config;
}

/* Room for two numbers, a word or a path. */
enum { SR_VALUE_TEXT = SR_PATH_MAX };

/* Sets what option stands for from its text. where and option->name begin the message of a failure, as in
 * "run.yaml: scale: must be ...". Errors: SR_ERR_ARGUMENT. */
sr_status sr_option_set(const sr_option *option, const char *where, const char *text, sr_settings *settings);

/* The present value as it would be written. */
void sr_option_text(const sr_option *option, const sr_settings *settings, char text[SR_VALUE_TEXT]);

/* The name nearest to a misspelt one of a command, or of a key. Never NULL. */
const char *sr_option_nearest(unsigned command, const char *name);
const char *sr_option_nearest_key(unsigned command, const char *key);

#endif
