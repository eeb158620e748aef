#include "ring.h"

sr_ring_step sr_ring(int ranks, int rank, int step) {
  int owner = (rank - step % ranks + ranks) % ranks;
  return (sr_ring_step){
      .owner = owner,
      .exchange = step < ranks - 1,
      .send_to = (rank + 1) % ranks,
      .recv_from = (rank + ranks - 1) % ranks,
      .next_owner = (owner + ranks - 1) % ranks,
  };
}
