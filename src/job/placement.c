#include "placement.h"

#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/threads.h"

enum { THREADS_MAX = 4096 };

/* Cores with a processing unit in set; processing units themselves where the machine does not tell its cores. */
static int cores_in(hwloc_topology_t topology, hwloc_const_cpuset_t set) {
  hwloc_obj_type_t type = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
  int n = 0;
  for (hwloc_obj_t core = NULL; (core = hwloc_get_next_obj_by_type(topology, type, core));)
    if (hwloc_bitmap_intersects(core->cpuset, set)) n++;
  return n;
}

/* The processor time that this control group may use, in whole cores; 0 when there is no limit. A container often sees
 * every core of its host and may use the time of a few. */
static int quota_cores(void) {
  long long quota = -1, period = -1;
  FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
  if (file) {
    if (fscanf(file, "%lld %lld", &quota, &period) != 2) quota = -1;
    fclose(file);
  } else {
    static const char *const name[2] = {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"};
    long long *const value[2] = {&quota, &period};
    for (int i = 0; i < 2; i++) {
      file = fopen(name[i], "re");
      if (!file) return 0;
      if (fscanf(file, "%lld", value[i]) != 1) *value[i] = -1;
      fclose(file);
    }
  }
  if (quota <= 0 || period <= 0 || quota / period > THREADS_MAX) return 0;
  return (int)((quota + period - 1) / period);
}

static sr_status count_cores(sr_placement *placement) {
  hwloc_topology_t topology;
  if (hwloc_topology_init(&topology)) return sr_fail(SR_ERR_RESOURCE, "hwloc cannot describe this machine: no memory");
  sr_status status = SR_OK;
  hwloc_cpuset_t bound = hwloc_bitmap_alloc(), domains = hwloc_bitmap_alloc();
  if (!bound || !domains || hwloc_topology_load(topology)) {
    status = sr_fail(SR_ERR_RESOURCE, "hwloc cannot describe this machine");
    goto done;
  }
  hwloc_const_cpuset_t allowed = hwloc_topology_get_allowed_cpuset(topology);
  if (hwloc_get_cpubind(topology, bound, HWLOC_CPUBIND_PROCESS) || hwloc_bitmap_iszero(bound))
    hwloc_bitmap_copy(bound, allowed);
  hwloc_bitmap_and(bound, bound, allowed);
  placement->node_cores = cores_in(topology, allowed);
  placement->bound_cores = cores_in(topology, bound);
  hwloc_bitmap_list_snprintf(placement->cpus, sizeof placement->cpus, bound);
  hwloc_cpuset_to_nodeset(topology, bound, domains);
  hwloc_bitmap_list_snprintf(placement->numa, sizeof placement->numa, domains);
  int quota = quota_cores();
  if (quota > 0 && quota < placement->node_cores) placement->node_cores = quota;
done:
  hwloc_bitmap_free(bound);
  hwloc_bitmap_free(domains);
  hwloc_topology_destroy(topology);
  return status;
}

/* The first number of OMP_NUM_THREADS, which may be a list; 0 when it is not set. */
static sr_status environment_threads(int *threads) {
  *threads = 0;
  const char *text = getenv("OMP_NUM_THREADS");
  if (!text || !*text) return SR_OK;
  char *end;
  long n = strtol(text, &end, 10);
  if (end == text || (*end && *end != ',') || n < 1 || n > THREADS_MAX)
    return sr_fail(SR_ERR_ARGUMENT, "OMP_NUM_THREADS=%s: not a number of threads from 1 to %d", text, THREADS_MAX);
  *threads = (int)n;
  return SR_OK;
}

sr_status sr_placement_find(int wanted, int local_ranks, sr_placement *placement) {
  *placement = (sr_placement){0};
  SR_TRY(count_cores(placement));
  if (gethostname(placement->host, sizeof placement->host - 1)) strcpy(placement->host, "?");
  int threads = wanted;
  if (threads < 1) SR_TRY(environment_threads(&threads));
  if (threads < 1) threads = placement->node_cores / local_ranks;
  placement->threads = sr_threads_allowed(threads < 1 ? 1 : threads);
  return SR_OK;
}
