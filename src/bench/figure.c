#include "figure.h"

#include <stdlib.h>

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

sr_figure sr_figure_of(double *value, int n) {
  qsort(value, (size_t)n, sizeof *value, compare);
  return (sr_figure){.min = value[0], .median = (value[(n - 1) / 2] + value[n / 2]) / 2, .max = value[n - 1]};
}
