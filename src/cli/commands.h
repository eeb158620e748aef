/* The commands of the program. */
#ifndef SR_CLI_COMMANDS_H
#define SR_CLI_COMMANDS_H

#include "arguments.h"

/* Does the work of a command and returns the exit status. settings hold the defaults and what the command line says. */
typedef int sr_command_fn(const sr_arguments *arguments, const sr_settings *settings);

typedef struct sr_command {
  const char *name;
  unsigned bit; /* in sr_option.commands */
  const char *synopsis;
  const char *summary;
  const char *description; /* a paragraph */
  const char *example;     /* a command line, or NULL */
  sr_command_fn *run;
} sr_command;

/* All of them, and their number. */
extern const sr_command sr_command_table[];
extern const int sr_n_commands;

/* The command of this name; NULL when there is none. */
const sr_command *sr_command_find(const char *name);

/* The name nearest to a misspelt one. Never NULL. */
const char *sr_command_nearest(const char *name);

sr_command_fn sr_command_attend, sr_command_info, sr_command_import, sr_command_tokenize, sr_command_run,
    sr_command_generate, sr_command_bench, sr_command_help, sr_command_version;

#endif
