/* Words of the command line sorted by the option table. */
#ifndef SR_CLI_ARGUMENTS_H
#define SR_CLI_ARGUMENTS_H

#include "options.h"

/* The words given to each option of the table; NULL where an option was not given. */
typedef struct sr_arguments {
  char *text[SR_OPTIONS_MAX];
} sr_arguments;

/* Sorts argv[0..argc), the words behind the name of a command. Abbreviations are refused, since they would change their
 * meaning when options are added. Free the arguments with sr_arguments_free in every case. Errors: SR_ERR_ARGUMENT,
 * SR_ERR_RESOURCE. */
sr_status sr_arguments_parse(unsigned command, int argc, char **argv, sr_arguments *arguments);

/* Sets what was given. Errors: SR_ERR_ARGUMENT. */
sr_status sr_arguments_apply(const sr_arguments *arguments, sr_settings *settings);

void sr_arguments_free(sr_arguments *arguments);

#endif
