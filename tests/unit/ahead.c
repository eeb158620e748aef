/* Requests for memory: evenly spread over the steps, up to the end of each piece and not past it. */
#include "kernels/ahead.h"
#include "suite.h"

enum { ROOM = 1 << 16 };
static char room[ROOM];

static int64_t lines(int64_t bytes) {
  return (bytes + SR_LINE - 1) / SR_LINE;
}

static void pieces_are_asked_for_evenly(void) {
  uint64_t random = 41;
  for (int n = 0; n < 2000; n++) {
    const int64_t steps = random_int(&random, 1, 70);
    sr_ahead ahead[SR_AHEAD];
    for (int i = 0; i < SR_AHEAD; i++) ahead[i] = (sr_ahead){room, n % 5 == i ? 0 : random_int(&random, 0, ROOM)};
    sr_requests requests = sr_requests_of(ahead, steps);
    for (int64_t step = 0; step < steps; step++) {
      const sr_requests before = requests;
      sr_request_step(&requests);
      for (int i = 0; i < SR_AHEAD; i++) {
        const int64_t asked = requests.at[i] - before.at[i], left = before.left[i];
        const int64_t share = (lines(ahead[i].bytes) + steps - 1) / steps * SR_LINE;
        if (asked != (left < share ? left : share) || asked != left - requests.left[i]) CU_FAIL("a step's share");
      }
    }
    for (int i = 0; i < SR_AHEAD; i++) CU_ASSERT(requests.at[i] == room + ahead[i].bytes && requests.left[i] == 0);
  }
}

int main(void) {
  return run_suite("ahead", (const test_case[]){{"pieces are asked for evenly", pieces_are_asked_for_evenly}, {0}});
}
