#include "source.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void sr_source_free(sr_source *source) {
  for (int64_t i = 0; i < source->n_tensors; i++) free(source->tensor[i].name);
  free(source->tensor);
  json_decref(source->metadata);
  if (source->file) fclose(source->file);
  *source = (sr_source){0};
}

sr_source_tensor *sr_source_find(const sr_source *source, const char *name) {
  for (int64_t i = 0; i < source->n_tensors; i++)
    if (!strcmp(source->tensor[i].name, name)) return &source->tensor[i];
  return NULL;
}

bool sr_source_count(sr_source_tensor *tensor, uint64_t *bytes) {
  bool good = sr_element_row_bytes(tensor->element, tensor->dims[tensor->rank - 1], &tensor->row_bytes);
  *bytes = tensor->row_bytes;
  for (int i = 0; i < tensor->rank - 1; i++)
    good = good && !__builtin_mul_overflow(*bytes, (uint64_t)tensor->dims[i], bytes);
  return good;
}

sr_status sr_source_rows(const sr_source *source, const sr_source_tensor *tensor, int64_t first, int64_t count,
                         float *to) {
  const uint64_t bytes = (uint64_t)count * tensor->row_bytes;
  void *raw = malloc(bytes);
  if (!raw) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to read tensor '%s'", source->path, tensor->name);
  sr_status status = SR_OK;
  if (fseeko(source->file, (off_t)(tensor->offset + (uint64_t)first * tensor->row_bytes), SEEK_SET) ||
      fread(raw, 1, bytes, source->file) != bytes)
    status = sr_fail(SR_ERR_INPUT, "%s: tensor '%s' cannot be read", source->path, tensor->name);
  else
    sr_element_to_f32(tensor->element, count * tensor->dims[tensor->rank - 1], raw, to);
  free(raw);
  return status;
}
