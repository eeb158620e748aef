/* The statistics of a run as JSON, for machines. */
#ifndef SR_CLI_STATS_H
#define SR_CLI_STATS_H

#include "job/attend.h"
#include "settings.h"

/* A key of the file and what stands there. */
typedef struct sr_stats_key {
  const char *name;
  const char *meaning;
} sr_stats_key;

/* All keys, for the manual page, and their number. */
extern const sr_stats_key sr_stats_key_table[];
extern const int sr_n_stats_keys;

typedef struct sr_stats sr_stats;

/* Makes the file beside its final name, so that one that cannot be written is an error before the run. *stats is NULL
 * on failure. Errors: SR_ERR_OUTPUT, SR_ERR_RESOURCE. */
sr_status sr_stats_open(const char *path, sr_stats **stats);

/* Writes it and gives it its name. Frees stats in every case. Errors: SR_ERR_OUTPUT, SR_ERR_RESOURCE. */
sr_status sr_stats_write(sr_stats **stats, const sr_attend_job *job, const sr_settings *settings,
                         const sr_attend_report *report);

/* Removes it and sets *stats to NULL, which is accepted too. */
void sr_stats_abandon(sr_stats **stats);

#endif
