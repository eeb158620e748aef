#include "encoding.h"

#include "base/error.h"
#include "comm/comm.h"

static bool is_wanted(const sr_saved *saved) {
  return saved->description.has_encoder && saved->description.has_decoder;
}

sr_status sr_encoding_read(MPI_Comm comm, const char *model, const char *source, const sr_saved *saved,
                           sr_encoding *encoding) {
  *encoding = (sr_encoding){.source = source};
  if (is_wanted(saved) && !*source)
    return sr_fail(SR_ERR_ARGUMENT, "%s: its encoder reads a source, and there is none", model);
  if (!is_wanted(saved) && *source)
    return sr_fail(SR_ERR_ARGUMENT, "%s: there is a source, and the model has no encoder beside a decoder", model);
  if (!*source) return SR_OK;
  const sr_reading_request request = {.model = model, .texts = source, .document = SR_CUT_NEVER, .unit = SR_CUT_NEVER};
  return sr_reading_make(comm, &request, &saved->source_vocabulary, &encoding->reading);
}

static sr_stack_spec spec_of(const sr_saved *saved, const sr_store *store, int threads, const sr_encoding *encoding) {
  const sr_sequence sequence = {
      .tokens = encoding->reading.n, .mask = {.window_left = -1, .window_right = -1}, .is_source = true};
  return (sr_stack_spec){.store = store,
                         .name = "encoder",
                         .stack = &saved->description.encoder,
                         .sequence = sequence,
                         .threads = threads};
}

sr_status sr_encoding_estimate(MPI_Comm comm, const sr_saved *saved, const sr_store *store, int threads,
                               const sr_encoding *encoding, double *bytes) {
  const sr_stack *decoder = &saved->description.decoder;
  sr_plan_info plan;
  sr_stack_need need;
  *bytes = 0;
  if (!is_wanted(saved)) return SR_OK;
  const sr_stack_spec spec = spec_of(saved, store, threads, encoding);
  SR_TRY(sr_stack_estimate(comm, &spec, &plan, &need));
  const int64_t kept = 2 * decoder->layers * plan.q_rows * decoder->kv_heads * decoder->head_width;
  *bytes = (double)(need.activations + need.attention + need.touched) + (double)kept * sizeof(float);
  return SR_OK;
}

sr_status sr_encoding_make(MPI_Comm comm, const sr_saved *saved, const sr_store *store, int threads,
                           sr_encoding *encoding) {
  if (!is_wanted(saved)) return SR_OK;
  const sr_stack_spec spec = spec_of(saved, store, threads, encoding);
  SR_TRY(sr_agree(comm, sr_stack_create(comm, &spec, &encoding->run)));
  sr_stack_begin(encoding->run, encoding->reading.id);
  SR_TRY(sr_stack_layers(encoding->run, spec.stack->layers));
  sr_stack_end(encoding->run);
  return SR_OK;
}

void sr_encoding_free(sr_encoding *encoding) {
  sr_stack_destroy(&encoding->run);
  sr_reading_free(&encoding->reading);
}
