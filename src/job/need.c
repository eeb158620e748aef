#include "need.h"

#include "base/error.h"
#include "comm/comm.h"

static sr_status find(MPI_Comm comm, const sr_saved *saved, const sr_encoding *encoding, const sr_stack_spec *spec,
                      sr_need *need) {
  need->weights = spec->store->bytes;
  SR_TRY(sr_stack_estimate(comm, spec, &need->plan, &need->stack));
  return sr_encoding_estimate(comm, saved, spec->store, spec->threads, encoding, &need->encoding);
}

sr_status sr_need_find(MPI_Comm comm, const char *what, const sr_saved *saved, const sr_encoding *encoding,
                       sr_stack_spec spec, sr_need *need) {
  sr_store outline;
  *need = (sr_need){0};
  SR_TRY(sr_agree(comm, sr_store_outline(saved, &outline)));
  spec.store = &outline;
  sr_status status = find(comm, saved, encoding, &spec, need);
  sr_store_close(&outline);
  if (status == SR_ERR_INPUT) status = sr_fail(status, "%.200s: %s", what, sr_error_text());
  return sr_agree(comm, status);
}
