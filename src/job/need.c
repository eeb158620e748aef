#include "need.h"

#include "base/error.h"
#include "comm/comm.h"

/* Says which text it is that does not fit. */
static sr_status named(const char *text, sr_status status) {
  return status == SR_ERR_INPUT ? sr_fail(status, "%.200s: %s", text, sr_error_text()) : status;
}

static sr_status find(MPI_Comm comm, const char *what, const sr_saved *saved, const sr_encoding *encoding,
                      const sr_questions *questions, const sr_stack_spec *spec, sr_need *need) {
  need->weights = spec->store->bytes;
  SR_TRY(named(what, sr_stack_estimate(comm, spec, &need->plan, &need->stack)));
  SR_TRY(named(encoding->source,
               sr_encoding_estimate(comm, saved, spec->store, spec->threads, encoding, &need->encoding)));
  if (!questions) return SR_OK;
  return named(questions->texts, sr_questions_estimate(comm, questions, *spec, &need->questions));
}

sr_status sr_need_find(MPI_Comm comm, const char *what, const sr_saved *saved, const sr_encoding *encoding,
                       const sr_questions *questions, sr_stack_spec spec, sr_need *need) {
  sr_store outline;
  *need = (sr_need){0};
  SR_TRY(sr_agree(comm, sr_store_outline(saved, &outline)));
  spec.store = &outline;
  sr_status status = find(comm, what, saved, encoding, questions, &spec, need);
  sr_store_close(&outline);
  return sr_agree(comm, status);
}
