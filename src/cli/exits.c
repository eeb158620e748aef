#include "exits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

const sr_exit sr_exit_table[] = {
    {0, "success"},
    {1, "a failure of MPI, of writing to the terminal, or of the program itself"},
    {2, "a wrong command line or configuration, or options that the input does not allow"},
    {3, "an input file that is missing, unreadable, damaged or of the wrong shape"},
    {4, "an output that cannot be created, written or completed"},
    {5, "too little memory or disk"},
    {6, "a NaN or Inf in the input under --nan=error, or in what a model predicts (generate)"},
    {7, "a result that its float64 check does not confirm"},
};
const int sr_n_exits = (int)(sizeof sr_exit_table / sizeof *sr_exit_table);

int sr_exit_of(sr_status status) {
  switch (status) {
  case SR_OK:
    return 0;
  case SR_ERR_ARGUMENT:
    return 2;
  case SR_ERR_INPUT:
    return 3;
  case SR_ERR_OUTPUT:
    return 4;
  case SR_ERR_RESOURCE:
    return 5;
  case SR_ERR_NONFINITE:
    return 6;
  case SR_ERR_WRONG:
    return 7;
  case SR_ERR_MPI:
  case SR_ERR_INTERNAL:
    return 1;
  }
  return 1;
}

int sr_exit_explained(sr_status status, bool speak) {
  if (status != SR_OK && speak) fprintf(stderr, "seqring: %s\n", sr_error_text());
  return sr_exit_of(status);
}

int sr_exit_printed(int status, bool speak) {
  bool arrived = !ferror(stdout);
  if (fflush(stdout)) arrived = false;
  if (arrived || status) return status;
  if (speak) fprintf(stderr, "seqring: cannot write to standard output: %s\n", strerror(errno));
  return 1;
}
