#include "lines.h"

#include <stdio.h>

#include "job/report.h"

void sr_line_label(const char *label) {
  printf("  %-16s", label);
}

void sr_line_name(const char *label, const char *text) {
  sr_line_label(label);
  sr_text_foreign(stdout, text);
}

void sr_line_plan(const sr_plan_info *plan) {
  char strategy[SR_STRATEGY_TEXT];
  sr_strategy_of(plan, strategy);
  sr_line_label("plan");
  printf("%s, %s, %d %s x %d %s, %s in %s\n", strategy, sr_balance_name(plan->balance), plan->ranks,
         plan->ranks == 1 ? "rank" : "ranks", plan->threads, plan->threads == 1 ? "thread" : "threads", plan->isa,
         sr_dtype_name(plan->compute));
}

void sr_line_spreads(void) {
  printf("\n  %-16s%12s%12s%12s\n", "on each rank", "min", "mean", "max");
}

void sr_line_spread(const char *label, const sr_spread *spread, sr_number_fn *number) {
  char min[SR_NUMBER_TEXT], mean[SR_NUMBER_TEXT], max[SR_NUMBER_TEXT];
  sr_line_label(label);
  printf(" %11s %11s %11s\n", number(spread->min, min), number(spread->mean, mean), number(spread->max, max));
}
