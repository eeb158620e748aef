/* The format: ggml's docs/gguf.md. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "reader.h"
#include "source.h"

enum { ALIGNMENT = 32, NAME_MAX_BYTES = 1024 };

/* Types of metadata values. */
typedef enum value_type { U8, I8, U16, I16, U32, I32, F32, BOOL, TEXT, ARRAY, U64, I64, F64, N_VALUE_TYPES } value_type;
static const uint8_t value_bytes[N_VALUE_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8}; /* at least */

/* Elements of tensors, by their number in the format; of the rest seqring reads none. */
static const struct {
  uint32_t number;
  sr_element element;
} elements[] = {{0, SR_ELEMENT_F32},  {1, SR_ELEMENT_F16},  {2, SR_ELEMENT_Q4_0},
                {3, SR_ELEMENT_Q4_1}, {8, SR_ELEMENT_Q8_0}, {30, SR_ELEMENT_BF16}};

static char *read_text(sr_reader *r, uint64_t most) {
  const uint64_t bytes = sr_reader_u64(r);
  if (bytes > most) sr_reader_fail(r, "a name is too long");
  return sr_reader_text(r, bytes);
}

static float f32_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static double f64_of(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Numbers that JSON's integers do not hold become real ones. */
static json_t *read_u64(sr_reader *r) {
  const uint64_t value = sr_reader_u64(r);
  return value <= INT64_MAX ? json_integer((json_int_t)value) : json_real((double)value);
}

/* Texts that are not UTF-8 cannot be kept. */
static json_t *read_string(sr_reader *r) {
  const uint64_t bytes = sr_reader_u64(r);
  char *text = sr_reader_text(r, bytes);
  json_t *value = text ? json_stringn(text, bytes) : NULL;
  free(text);
  if (!value) sr_reader_fail(r, "a text is not UTF-8");
  return value;
}

static json_t *read_plain(sr_reader *r, uint32_t type) {
  switch (type) {
  case U8:
    return json_integer(sr_reader_u8(r));
  case I8:
    return json_integer((int8_t)sr_reader_u8(r));
  case U16:
    return json_integer(sr_reader_u16(r));
  case I16:
    return json_integer((int16_t)sr_reader_u16(r));
  case U32:
    return json_integer(sr_reader_u32(r));
  case I32:
    return json_integer((int32_t)sr_reader_u32(r));
  case F32:
    return json_real((double)f32_of(sr_reader_u32(r)));
  case BOOL:
    return json_boolean(sr_reader_u8(r));
  case TEXT:
    return read_string(r);
  case U64:
    return read_u64(r);
  case I64:
    return json_integer((int64_t)sr_reader_u64(r));
  case F64:
    return json_real(f64_of(sr_reader_u64(r)));
  default:
    sr_reader_fail(r, "a value of a type that the format does not have, or a list of lists");
    return NULL;
  }
}

/* A value of the metadata; NULL on failure, a real number that is not finite among them. */
static json_t *read_value(sr_reader *r) {
  const uint32_t type = sr_reader_u32(r);
  if (type != ARRAY) return read_plain(r, type);
  const uint32_t each = sr_reader_u32(r);
  const uint64_t n = sr_reader_u64(r);
  if (each >= N_VALUE_TYPES || !sr_reader_holds(r, n, value_bytes[each])) {
    sr_reader_fail(r, "a list of a type that the format does not have");
    return NULL;
  }
  json_t *list = json_array();
  bool good = list != NULL;
  for (uint64_t i = 0; i < n && good; i++) good = json_array_append_new(list, read_plain(r, each)) == 0;
  if (good) return list;
  json_decref(list);
  return NULL;
}

static void read_metadata(sr_reader *r, uint64_t n, json_t *metadata) {
  for (uint64_t i = 0; i < n && r->status == SR_OK; i++) {
    char *key = read_text(r, NAME_MAX_BYTES);
    json_t *value = key ? read_value(r) : NULL;
    if (!value || json_object_set(metadata, key, value)) sr_reader_fail(r, "a value that seqring cannot keep");
    json_decref(value);
    free(key);
  }
}

static void read_element(sr_reader *r, sr_source_tensor *tensor) {
  const uint32_t number = sr_reader_u32(r);
  for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
    if (elements[i].number == number) {
      tensor->element = elements[i].element;
      return;
    }
  sr_reader_fail(r, "a tensor of a type that seqring does not read: F32, F16, BF16, Q8_0, Q4_0 and Q4_1 are possible");
}

/* The format has the contiguous dimension first. */
static void read_dims(sr_reader *r, sr_source_tensor *tensor) {
  const uint32_t rank = sr_reader_u32(r);
  if (rank < 1 || rank > SR_SOURCE_RANK_MAX) sr_reader_fail(r, "a tensor of more than 4 dimensions, or of none");
  if (r->status != SR_OK) return;
  tensor->rank = (int)rank;
  for (int i = tensor->rank - 1; i >= 0; i--) {
    const uint64_t length = sr_reader_u64(r);
    if (length < 1 || length > INT32_MAX) sr_reader_fail(r, "a tensor of an impossible shape");
    tensor->dims[i] = (int64_t)length;
  }
}

static void read_tensor(sr_reader *r, sr_source_tensor *tensor) {
  tensor->name = read_text(r, NAME_MAX_BYTES);
  read_dims(r, tensor);
  read_element(r, tensor);
  tensor->offset = sr_reader_u64(r);
}

static void read_tensors(sr_reader *r, uint64_t n, sr_source *source) {
  source->tensor = calloc(n + 1, sizeof *source->tensor);
  if (!source->tensor) r->status = sr_fail(SR_ERR_RESOURCE, "%s: no memory for %" PRIu64 " tensors", r->path, n);
  for (uint64_t i = 0; i < n && r->status == SR_OK; i++) {
    source->n_tensors++;
    read_tensor(r, &source->tensor[i]);
  }
}

/* Makes the offset one in the file; the tensor must lie in it. */
static sr_status place_tensor(const sr_source *source, uint64_t data, sr_source_tensor *tensor) {
  uint64_t bytes;
  const bool good = sr_source_count(tensor, &bytes) && !__builtin_add_overflow(tensor->offset, data, &tensor->offset) &&
                    tensor->offset <= source->size && bytes <= source->size - tensor->offset;
  if (good) return SR_OK;
  return sr_fail(SR_ERR_INPUT, "%s: tensor '%s' does not fit its type, or the file: it is cut short, or damaged",
                 source->path, tensor->name);
}

static sr_status place_tensors(sr_source *source, uint64_t at) {
  const json_t *given = json_object_get(source->metadata, "general.alignment");
  const json_int_t alignment = given ? json_integer_value(given) : ALIGNMENT;
  if (alignment < 1 || alignment > UINT16_MAX || (alignment & (alignment - 1)))
    return sr_fail(SR_ERR_INPUT, "%s: 'general.alignment' is no power of two", source->path);
  const uint64_t data = (at + (uint64_t)alignment - 1) / (uint64_t)alignment * (uint64_t)alignment;
  for (int64_t i = 0; i < source->n_tensors; i++) SR_TRY(place_tensor(source, data, &source->tensor[i]));
  return SR_OK;
}

static void read_heads(sr_reader *r, sr_source *source) {
  if (sr_reader_u32(r) != 0x46554747) sr_reader_fail(r, "it is no GGUF file");
  const uint32_t version = sr_reader_u32(r);
  if (version < 2 || version > 3)
    sr_reader_fail(r, "a version of GGUF that seqring does not read: 2 and 3 are possible");
  const uint64_t tensors = sr_reader_u64(r), values = sr_reader_u64(r);
  if (tensors > SR_SOURCE_TENSORS_MAX || values > r->size) sr_reader_fail(r, "too many tensors or values");
  if (r->status != SR_OK) return;
  read_metadata(r, values, source->metadata);
  read_tensors(r, tensors, source);
}

sr_status sr_source_read_gguf(const char *path, FILE *file, uint64_t size, sr_source *source) {
  *source = (sr_source){.path = path, .file = file, .size = size, .metadata = json_object()};
  sr_reader reader = {.file = file, .path = path, .size = size};
  if (!source->metadata) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to read it", path);
  read_heads(&reader, source);
  SR_TRY(reader.status);
  return place_tensors(source, reader.at);
}
