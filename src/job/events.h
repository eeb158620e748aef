/* What a job tells of itself, for a person or a signal handler. */
#ifndef SR_JOB_EVENTS_H
#define SR_JOB_EVENTS_H

#include <seqring/plan.h>

/* What a job tells while it runs. A function may be NULL. */
typedef struct sr_job_events {
  void *data;                                    /* first argument of every one */
  void (*warning)(void *data, const char *text); /* rank 0; one line */
  void (*partial)(void *data,
                  const char *path); /* a file to remove if the process is killed; NULL: there is none now */
  void (*start)(void *data, const sr_plan_info *info); /* rank 0; attention begins */
  sr_progress_fn *progress;                            /* rank 0; see sr_options */
  void (*finish)(void *data);                          /* rank 0; attention has ended, also when it failed */
} sr_job_events;

/* Tells the caller on rank 0 of what is odd; every rank may call it. Not collective. */
static inline void sr_job_warn(const sr_job_events *events, int rank, const char *text) {
  if (rank == 0 && events->warning) events->warning(events->data, text);
}

#endif
