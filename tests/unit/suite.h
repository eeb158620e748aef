/* Runs CUnit tests without a word when they pass; a failure prints each failed check and makes the exit status 1.
 *
 *   int main(void) { return run_suite("schedule", (const test_case[]){{"masks", masks}, {0}}); }
 */
#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H

#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

typedef struct test_case {
  const char *name;
  CU_TestFunc run;
} test_case;

static inline int run_suite(const char *name, const test_case *tests) {
  if (CU_initialize_registry() != CUE_SUCCESS) return 1;
  CU_pSuite suite = CU_add_suite(name, NULL, NULL);
  for (; suite && tests->name; tests++)
    if (!CU_add_test(suite, tests->name, tests->run)) suite = NULL;
  if (!suite) return 1;
  CU_run_all_tests();
  for (CU_pFailureRecord f = CU_get_failure_list(); f; f = f->pNext)
    fprintf(stderr, "%s:%u: %s: %s\n", f->strFileName, f->uiLineNumber, f->pTest ? f->pTest->pName : name,
            f->strCondition);
  int failed = CU_get_number_of_failure_records() > 0 || CU_get_number_of_tests_run() == 0;
  CU_cleanup_registry();
  return failed;
}

/* A reproducible source of numbers: xorshift64* (Vigna, ACM TOMS 42, 2016). */
static inline uint64_t next_random(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 0x2545f4914f6cdd1d;
}

/* A whole number from lo to hi. */
static inline int64_t random_int(uint64_t *state, int64_t lo, int64_t hi) {
  return lo + (int64_t)(next_random(state) % (uint64_t)(hi - lo + 1));
}

/* Roughly normal, mean 0 and variance 1. */
static inline double random_normal(uint64_t *state) {
  double sum = 0;
  for (int i = 0; i < 12; i++) sum += (double)(next_random(state) >> 11) * 0x1p-53;
  return sum - 6;
}

/* |a - b| relative to max(1, |b|); infinite where only one of them is NaN, or an infinity. */
static inline double off(double a, double b) {
  if (a == b || (isnan(a) && isnan(b))) return 0;
  double d = fabs(a - b) / fmax(1, fabs(b));
  return isnan(d) ? (double)INFINITY : d;
}

#endif
