/* The lines of a summary: a label, and what it is of. */
#ifndef SR_CLI_LINES_H
#define SR_CLI_LINES_H

#include <seqring/plan.h>

#include "job/spread.h"
#include "text.h"

void sr_line_label(const char *label);

/* A string that may come from a file or the command line, under a label; without a line break. */
void sr_line_name(const char *label, const char *text);

/* How a plan spreads its work, and what it computes with. */
void sr_line_plan(const sr_plan_info *plan);

/* A table of what differs between ranks: its head, and a line. */
typedef const char *sr_number_fn(double value, char text[SR_NUMBER_TEXT]);
void sr_line_spreads(void);
void sr_line_spread(const char *label, const sr_spread *spread, sr_number_fn *number);

#endif
