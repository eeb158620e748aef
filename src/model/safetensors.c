/* The format: a length, a JSON object of tensors, and their elements (huggingface/safetensors). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "reader.h"
#include "source.h"

enum { HEAD_MAX = 100 << 20 };

static const struct {
  const char *name;
  sr_element element;
} elements[] = {{"F32", SR_ELEMENT_F32}, {"F16", SR_ELEMENT_F16}, {"BF16", SR_ELEMENT_BF16}};

static bool read_element(const json_t *json, sr_element *element) {
  const char *name = json_string_value(json);
  for (size_t i = 0; name && i < sizeof elements / sizeof *elements; i++)
    if (!strcmp(elements[i].name, name)) {
      *element = elements[i].element;
      return true;
    }
  return false;
}

/* A tensor without dimensions is a number, and counts as a vector of one. */
static bool read_shape(const json_t *shape, sr_source_tensor *tensor) {
  const size_t rank = json_array_size(shape);
  if (!json_is_array(shape) || rank > SR_SOURCE_RANK_MAX) return false;
  tensor->rank = rank > 0 ? (int)rank : 1;
  tensor->dims[0] = 1;
  for (size_t i = 0; i < rank; i++) {
    const json_int_t length = json_integer_value(json_array_get(shape, i));
    if (length < 1 || length > INT32_MAX) return false;
    tensor->dims[i] = length;
  }
  return true;
}

/* From where to where in the data its elements lie: exactly those of its shape. */
static bool read_place(const json_t *offsets, uint64_t data, const sr_source *source, sr_source_tensor *tensor) {
  const json_int_t from = json_integer_value(json_array_get(offsets, 0));
  const json_int_t to = json_integer_value(json_array_get(offsets, 1));
  uint64_t bytes;
  if (json_array_size(offsets) != 2 || from < 0 || to < from || (uint64_t)to > source->size - data) return false;
  if (!sr_source_count(tensor, &bytes)) return false;
  tensor->offset = data + (uint64_t)from;
  return bytes == (uint64_t)(to - from);
}

/* Integers are kept out: they are no weights. */
static sr_status read_tensor(const char *name, const json_t *json, uint64_t data, sr_source *source) {
  sr_source_tensor *tensor = &source->tensor[source->n_tensors];
  const char *type = json_string_value(json_object_get(json, "dtype"));
  if (type && (type[0] == 'I' || type[0] == 'U' || !strcmp(type, "BOOL"))) return SR_OK;
  if (!read_element(json_object_get(json, "dtype"), &tensor->element))
    return sr_fail(SR_ERR_INPUT, "%s: tensor '%.200s' is of type %.20s: F32, F16 and BF16 are possible", source->path,
                   name, type ? type : "unknown");
  if (!read_shape(json_object_get(json, "shape"), tensor) ||
      !read_place(json_object_get(json, "data_offsets"), data, source, tensor))
    return sr_fail(SR_ERR_INPUT, "%s: tensor '%.200s' does not fit its type, or the file: it is cut short, or damaged",
                   source->path, name);
  tensor->name = strdup(name);
  source->n_tensors++;
  return tensor->name ? SR_OK : sr_fail(SR_ERR_RESOURCE, "%s: no memory to read it", source->path);
}

static sr_status read_tensors(const json_t *head, uint64_t data, sr_source *source) {
  const char *name;
  json_t *json;
  source->tensor = calloc(json_object_size(head) + 1, sizeof *source->tensor);
  if (!source->tensor) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to read it", source->path);
  json_object_foreach((json_t *)head, name, json) if (strcmp(name, "__metadata__"))
      SR_TRY(read_tensor(name, json, data, source));
  return SR_OK;
}

sr_status sr_source_read_safetensors(const char *path, FILE *file, uint64_t size, sr_source *source) {
  *source = (sr_source){.path = path, .file = file, .size = size};
  sr_reader reader = {.file = file, .path = path, .size = size};
  const uint64_t bytes = sr_reader_u64(&reader);
  if (bytes > HEAD_MAX) sr_reader_fail(&reader, "it is no safetensors file");
  char *text = sr_reader_text(&reader, bytes);
  json_t *head = text ? json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL) : NULL;
  free(text);
  if (!json_is_object(head)) sr_reader_fail(&reader, "its head is no JSON object: it is no safetensors file");
  sr_status status = reader.status;
  if (status == SR_OK) status = read_tensors(head, reader.at, source);
  json_decref(head);
  return status;
}
