#include "launcher.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int sr_launcher_rank(void) {
  static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *text = getenv(names[i]);
    if (!text || !*text) continue;
    char *end;
    long rank = strtol(text, &end, 10);
    if (!*end && rank >= 0 && rank < 1 << 30) return (int)rank;
  }
  return -1;
}

void sr_launcher_stand_back(void) {
  struct timespec moment = {.tv_nsec = 400000000};
  if (sr_launcher_rank() > 0) nanosleep(&moment, NULL);
}

void sr_launcher_hint_mpi(void) {
  const char *ranks = getenv("OMPI_COMM_WORLD_SIZE"), *on_node = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  if (ranks && on_node && !strcmp(ranks, on_node)) setenv("OMPI_MCA_pml", "ob1", 0);
}
