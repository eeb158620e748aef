/* Requests for memory: evenly spread over the steps, piece by piece, each line of a piece once and none past its end.
 */
#include "kernels/ahead.h"
#include "suite.h"

enum { ROOM = 1 << 16 };
static char room[ROOM];

static int64_t lines(int64_t bytes) {
  return (bytes + SR_LINE - 1) / SR_LINE;
}

/* Lines that are left of all pieces; checks that none is begun before the one in front of it is done. */
static int64_t left_in_order(const sr_requests *requests, const sr_ahead ahead[SR_AHEAD]) {
  int64_t left = 0;
  for (int i = 0; i < SR_AHEAD; i++) {
    const int64_t asked = (requests->at[i] - room) / SR_LINE;
    if (asked + requests->lines[i] != lines(ahead[i].bytes)) CU_FAIL("lines of a piece");
    if (asked > 0 && left > 0) CU_FAIL("pieces in order");
    left += requests->lines[i];
  }
  return left;
}

static void lines_are_asked_for_evenly(void) {
  uint64_t random = 41;
  for (int n = 0; n < 2000; n++) {
    const int64_t steps = random_int(&random, 1, 70);
    sr_ahead ahead[SR_AHEAD];
    for (int i = 0; i < SR_AHEAD; i++) ahead[i] = (sr_ahead){room, n % 5 == i ? 0 : random_int(&random, 0, ROOM)};
    sr_requests requests = sr_requests_of(ahead, steps);
    int64_t left = left_in_order(&requests, ahead);
    const int64_t share = (left + steps - 1) / steps;
    for (int64_t step = 0; step < steps; step++) {
      sr_request_step(&requests);
      const int64_t now = left_in_order(&requests, ahead);
      if (left - now != (left < share ? left : share)) CU_FAIL("a step's share");
      left = now;
    }
    CU_ASSERT_EQUAL(left, 0);
  }
}

int main(void) {
  return run_suite("ahead", (const test_case[]){{"lines are asked for evenly", lines_are_asked_for_evenly}, {0}});
}
