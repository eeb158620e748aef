#include "workspace.h"

#include "decode.h"
#include "exchange.h"

void sr_workspace_lay_buffers(const sr_decision *d, sr_layout *layout, sr_workspace *w) {
  for (int i = 0; i < d->schedule.buffers; i++) w->buffer[i] = sr_layout_take(layout, d->buffer_bytes[i]);
}

static void lay_decode(const sr_decision *d, sr_layout *layout, sr_workspace *w) {
  w->special = sr_layout_take(layout, sr_decode_special_bytes(d));
  w->reduced = sr_layout_take(layout, sr_decode_reduced_bytes(d));
}

static void lay_travel(const sr_decision *d, uint64_t packed, sr_layout *layout, sr_workspace *w) {
  if (d->members == 1) sr_workspace_lay_buffers(d, layout, w);
  w->outgoing = sr_layout_take(layout, sr_exchange_outgoing_bytes(d));
  w->incoming = sr_layout_take(layout, sr_exchange_incoming_bytes(d));
  w->query_norm = sr_layout_take(layout, sr_query_norm_bytes(d) * packed);
  w->key_norm = sr_layout_take(layout, sr_key_norm_bytes(d));
  w->batches = sr_layout_take(layout, sizeof(sr_batch) * (uint64_t)d->n_batches);
}

sr_workspace sr_workspace_lay(const sr_decision *d, sr_layout *layout) {
  const bool decodes = sr_decision_decodes(d);
  const uint64_t kept = (uint64_t)sr_decision_kept(d), packed = kept * (uint64_t)d->sets;
  sr_workspace w = {.queries = sr_layout_take(layout, d->tile_bytes * packed)};
  w.accumulators = sr_layout_take(layout, d->acc_bytes * kept * (uint64_t)(decodes ? d->threads : 1));
  w.workers = sr_layout_take(layout, d->worker_bytes * (uint64_t)d->threads);
  if (decodes)
    lay_decode(d, layout, &w);
  else
    lay_travel(d, packed, layout, &w);
  return w;
}
