/* Figures of several rounds. */
#ifndef SR_BENCH_FIGURE_H
#define SR_BENCH_FIGURE_H

typedef struct sr_figure {
  double min, median, max;
} sr_figure;

/* Sorts value[0..n), n >= 1; the median of an even number is the mean of the middle two. */
sr_figure sr_figure_of(double *value, int n);

#endif
