#include "result.h"

#include <unistd.h>

#include "base/error.h"

static void tell(const sr_job_events *events, const char *path) {
  if (events->partial) events->partial(events->data, path);
}

sr_status sr_result_create(MPI_Comm comm, sr_output_spec spec, const sr_job_events *events, sr_output **output) {
  spec.made = events->partial;
  spec.made_data = events->data;
  SR_TRY(sr_output_create(comm, &spec, output));
  tell(events, sr_output_partial_path(*output));
  return SR_OK;
}

sr_status sr_result_commit(sr_output **output, sr_status mine, const char *provenance, const sr_job_events *events) {
  sr_status status = sr_output_commit(output, mine, provenance);
  if (status != SR_ERR_MPI) tell(events, NULL);
  return status;
}

void sr_result_abandon(const sr_output *output) {
  if (output) unlink(sr_output_partial_path(output));
}
