/* What a person sees after a run, and of a dry one. */
#ifndef SR_CLI_SUMMARY_H
#define SR_CLI_SUMMARY_H

#include "job/attend.h"

/* Prints on stdout what was done and what it took. */
void sr_summary_print(const sr_attend_job *job, const sr_attend_report *report);

/* Prints on stdout what would be done. */
void sr_summary_print_plan(const sr_attend_job *job, const sr_attend_report *report);

#endif
