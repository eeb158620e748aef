/* The rounding error of a sum (TwoSum; Knuth, The Art of Computer Programming 2, 4.2.2). Not for files that allow fused
 * multiply-adds or other liberties with rounding. */
#ifndef SR_BASE_TWO_SUM_H
#define SR_BASE_TWO_SUM_H

/* *a becomes a + b, rounded; returns what the rounding lost, which is NaN once the sum is not finite. */
static inline double sr_two_sum(double *a, double b) {
  double old = *a, sum = old + b, part = sum - old;
  *a = sum;
  return (old - (sum - part)) + (b - part);
}

#endif
