/* Exit statuses of the program, and how it says what went wrong. */
#ifndef SR_CLI_EXITS_H
#define SR_CLI_EXITS_H

#include <stdbool.h>

#include <seqring/status.h>

typedef struct sr_exit {
  int status;
  const char *meaning;
} sr_exit;

/* All of them, in ascending order, and their number. */
extern const sr_exit sr_exit_table[];
extern const int sr_n_exits;

/* The exit status that stands for a status of the library. */
int sr_exit_of(sr_status status);

/* Prints the last failure as one line on stderr, when speak, and returns its exit status. */
int sr_exit_explained(sr_status status, bool speak);

/* Makes sure that what was printed on stdout has arrived. Returns status, or that of a failure when it is 0. */
int sr_exit_printed(int status, bool speak);

#endif
