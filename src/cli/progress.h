/* One line on the terminal while attention runs. */
#ifndef SR_CLI_PROGRESS_H
#define SR_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sr_progress {
  bool shown;         /* set by the caller */
  double start, last; /* seconds: of the beginning, and of the last change of the line */
  int64_t tokens;     /* of the whole job */
} sr_progress;

/* Whether what this process writes to stderr is seen on a terminal, also through mpirun, which stands between. */
bool sr_progress_is_seen(void);

void sr_progress_start(sr_progress *progress, int64_t tokens);
void sr_progress_update(sr_progress *progress, int64_t done, int64_t total);
void sr_progress_end(sr_progress *progress);

#endif
