#include "machine.h"

#include <hwloc.h>
#include <seqring/version.h>
#include <stdio.h>

#include "base/error.h"

static sr_status name_processor(char name[128]) {
  hwloc_topology_t topology;
  if (hwloc_topology_init(&topology)) return sr_fail(SR_ERR_RESOURCE, "hwloc cannot describe this machine: no memory");
  const char *model = NULL;
  if (!hwloc_topology_load(topology)) {
    hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
    if (package) model = hwloc_obj_get_info_by_name(package, "CPUModel");
  }
  snprintf(name, 128, "%s", model ? model : "unknown");
  hwloc_topology_destroy(topology);
  return SR_OK;
}

sr_status sr_machine_describe(MPI_Comm comm, sr_machine *machine) {
  *machine = (sr_machine){.isa = sr_isa_name()};
  if (!machine->isa) return SR_ERR_ARGUMENT;
  if (MPI_Comm_size(comm, &machine->ranks)) return sr_fail(SR_ERR_MPI, "MPI_Comm_size failed");
  SR_TRY(sr_gemm_load());
  sr_gemm_library(machine->blas_version, machine->blas_core);
  return name_processor(machine->processor);
}
