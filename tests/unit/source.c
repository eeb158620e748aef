/* Foreign model files: elements by hand, and files that are cut, damaged or wrong. */
#include "model/source.h"

#include <math.h>

#include "gguf.h"
#include "suite.h"

static void elements(void) {
  float to[64];
  uint8_t q[64] = {0};
  const uint16_t half[2] = {0x3800, 0xC000}; /* 0.5, -2 */
  memcpy(q, half, 4);
  for (int i = 0; i < 16; i++) q[4 + i] = (uint8_t)(i | (15 - i) << 4);
  sr_element_to_f32(SR_ELEMENT_Q4_1, 32, q, to);
  for (int i = 0; i < 16; i++) CU_ASSERT(to[i] == 0.5F * (float)i - 2 && to[16 + i] == 0.5F * (float)(15 - i) - 2);
  memmove(q + 2, q + 4, 16);
  sr_element_to_f32(SR_ELEMENT_Q4_0, 32, q, to);
  for (int i = 0; i < 16; i++) CU_ASSERT(to[i] == 0.5F * (float)(i - 8) && to[16 + i] == 0.5F * (float)(7 - i));
  for (int i = 0; i < 32; i++) q[2 + i] = (uint8_t)(i * 8 - 128);
  sr_element_to_f32(SR_ELEMENT_Q8_0, 32, q, to);
  for (int i = 0; i < 32; i++) CU_ASSERT_EQUAL(to[i], 0.5F * (float)(i * 8 - 128));
  sr_element_to_f32(SR_ELEMENT_F16, 2, half, to);
  CU_ASSERT(to[0] == 0.5F && to[1] == -2);
  const uint16_t upper[1] = {0x3FC0};
  sr_element_to_f32(SR_ELEMENT_BF16, 1, upper, to);
  CU_ASSERT_EQUAL(to[0], 1.5F);
  uint64_t bytes;
  CU_ASSERT(sr_element_row_bytes(SR_ELEMENT_Q4_1, 64, &bytes) && bytes == 40);
  CU_ASSERT(!sr_element_row_bytes(SR_ELEMENT_Q4_1, 48, &bytes));
  CU_ASSERT(!sr_element_row_bytes(SR_ELEMENT_F32, 0, &bytes));
}

enum { U8, I8, U16, I16, U32, I32, F32, BOOL, TEXT, ARRAY, U64, I64, F64 };

/* Every type of value, and two tensors. Returns where the data begins. */
static size_t make_good(gguf *g) {
  const uint64_t matrix[2] = {32, 3}, vector[1] = {5};
  const double real = 0.25;
  const float single = 1.5F;
  put_head(g, 3, 2, 6);
  put_key(g, "small", I8), put(g, "\xfb", 1);
  put_key(g, "large", U64), put_u64(g, UINT64_MAX);
  put_key(g, "real", F64), put(g, &real, 8);
  put_key(g, "single", F32), put(g, &single, 4);
  put_key(g, "words", ARRAY), put_u32(g, TEXT), put_u64(g, 2), put_text(g, "a"), put_text(g, "\xc3\xa9");
  put_key(g, "yes", BOOL), put(g, "\1", 1);
  put_tensor(g, "m", 2, matrix, 8, 0);
  put_tensor(g, "v", 1, vector, 0, 128);
  const size_t data = (g->n + 31) / 32 * 32;
  put_zeros(g, data + 128 + 20);
  for (int r = 0; r < 3; r++) { /* rows of 0.5 times 0, 1, 2, ... plus their number */
    uint8_t *row = g->bytes + data + 34 * r;
    row[1] = 0x38;
    for (int i = 0; i < 32; i++) row[2 + i] = (uint8_t)(i + r);
  }
  for (int i = 0; i < 5; i++) memcpy(g->bytes + data + 128 + 4 * i, &(float){(float)i}, 4);
  return data;
}

static sr_status read_bytes(const gguf *g, size_t n, sr_source *source) {
  FILE *file = fmemopen((void *)g->bytes, n, "rb");
  CU_ASSERT_FATAL(file != NULL);
  return sr_source_read_gguf("model.gguf", file, n, source);
}

static sr_status status_of(const gguf *g, size_t n) {
  sr_source source;
  sr_status status = read_bytes(g, n, &source);
  sr_source_free(&source);
  return status;
}

static void good(void) {
  static gguf g;
  sr_source source;
  float to[64];
  make_good(&g);
  CU_ASSERT_EQUAL(read_bytes(&g, g.n, &source), SR_OK);
  CU_ASSERT_EQUAL(json_integer_value(json_object_get(source.metadata, "small")), -5);
  CU_ASSERT_EQUAL(json_real_value(json_object_get(source.metadata, "large")), 0x1p64);
  CU_ASSERT_EQUAL(json_real_value(json_object_get(source.metadata, "real")), 0.25);
  CU_ASSERT_EQUAL(json_real_value(json_object_get(source.metadata, "single")), 1.5);
  CU_ASSERT(json_is_true(json_object_get(source.metadata, "yes")));
  const json_t *words = json_object_get(source.metadata, "words");
  CU_ASSERT(json_array_size(words) == 2 && !strcmp(json_string_value(json_array_get(words, 1)), "\xc3\xa9"));
  const sr_source_tensor *m = sr_source_find(&source, "m"), *v = sr_source_find(&source, "v");
  CU_ASSERT_FATAL(m && v && !sr_source_find(&source, "w"));
  CU_ASSERT(m->rank == 2 && m->dims[0] == 3 && m->dims[1] == 32 && v->rank == 1 && v->dims[0] == 5);
  CU_ASSERT_EQUAL(sr_source_rows(&source, m, 1, 2, to), SR_OK);
  for (int i = 0; i < 64; i++) CU_ASSERT_EQUAL(to[i], 0.5F * (float)(i % 32 + 1 + i / 32));
  CU_ASSERT_EQUAL(sr_source_rows(&source, v, 0, 1, to), SR_OK);
  for (int i = 0; i < 5; i++) CU_ASSERT_EQUAL(to[i], (float)i);
  sr_source_free(&source);
}

static void cut(void) {
  static gguf g;
  make_good(&g);
  for (size_t n = 1; n < g.n; n++) CU_ASSERT_EQUAL(status_of(&g, n), SR_ERR_INPUT);
}

/* Any byte of the head may be any other: that may go unnoticed, but no further. */
static void damaged(void) {
  static gguf g;
  const size_t data = make_good(&g);
  uint64_t state = 3;
  for (int i = 0; i < 20000; i++) {
    const size_t at = (size_t)random_int(&state, 0, (int64_t)data - 1);
    const uint8_t kept = g.bytes[at];
    g.bytes[at] = (uint8_t)next_random(&state);
    sr_source source;
    float to[64];
    sr_status status = read_bytes(&g, g.n, &source);
    CU_ASSERT(status == SR_OK || status == SR_ERR_INPUT);
    for (int64_t t = 0; status == SR_OK && t < source.n_tensors; t++)
      if (source.tensor[t].dims[source.tensor[t].rank - 1] <= 64)
        CU_ASSERT_EQUAL(sr_source_rows(&source, &source.tensor[t], 0, 1, to), SR_OK);
    sr_source_free(&source);
    g.bytes[at] = kept;
  }
}

static void wrong(void) {
  static gguf g;
  const uint64_t dims[5] = {32, 1, 1, 1, 1}, none[1] = {0}, huge[3] = {1 << 30, 1 << 30, 1 << 30};
  put_head(&g, 4, 0, 0);
  CU_ASSERT_EQUAL(status_of(&g, g.n), SR_ERR_INPUT);
  put_head(&g, 3, UINT64_MAX, 0);
  CU_ASSERT_EQUAL(status_of(&g, g.n), SR_ERR_INPUT);
  put_head(&g, 3, 0, 1), put_key(&g, "k", ARRAY), put_u32(&g, ARRAY), put_u64(&g, 1), put_zeros(&g, 99);
  CU_ASSERT_EQUAL(status_of(&g, g.n), SR_ERR_INPUT);
  put_head(&g, 3, 0, 1), put_key(&g, "k", ARRAY), put_u32(&g, U8), put_u64(&g, UINT64_MAX / 2), put_zeros(&g, 99);
  CU_ASSERT_EQUAL(status_of(&g, g.n), SR_ERR_INPUT);
  put_head(&g, 3, 0, 1), put_key(&g, "k", 13), put_zeros(&g, 99);
  CU_ASSERT_EQUAL(status_of(&g, g.n), SR_ERR_INPUT);
  put_head(&g, 3, 0, 1), put_key(&g, "k", F64), put(&g, &(double){(double)INFINITY}, 8);
  CU_ASSERT_EQUAL(status_of(&g, g.n), SR_ERR_INPUT);
  put_head(&g, 3, 0, 1), put_key(&g, "k", TEXT), put_text(&g, "\xff");
  CU_ASSERT_EQUAL(status_of(&g, g.n), SR_ERR_INPUT);
  put_head(&g, 3, 0, 1), put_key(&g, "general.alignment", U32), put_u32(&g, 24);
  CU_ASSERT_EQUAL(status_of(&g, g.n), SR_ERR_INPUT);
  const struct {
    uint32_t rank, type;
    const uint64_t *dims;
    uint64_t offset;
  } tensors[] = {{5, 0, dims, 0},   {0, 0, dims, 0}, {1, 7, dims, 0},
                 {1, 0, none, 0},   {3, 0, huge, 0}, {1, 0, dims, UINT64_MAX - 40},
                 {1, 0, dims, 4096}};
  for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
    put_head(&g, 3, 1, 0);
    put_tensor(&g, "t", tensors[i].rank, tensors[i].dims, tensors[i].type, tensors[i].offset);
    put_zeros(&g, 1024);
    CU_ASSERT_EQUAL(status_of(&g, g.n), SR_ERR_INPUT);
  }
}

static sr_status read_safetensors(const char *head, uint64_t claimed, size_t data, sr_source *source) {
  static gguf g;
  g.n = 0;
  put_u64(&g, claimed);
  put(&g, head, strlen(head));
  for (size_t i = 0; i < data; i++) put(&g, &(uint8_t){(uint8_t)i}, 1);
  FILE *file = fmemopen(g.bytes, g.n, "rb");
  CU_ASSERT_FATAL(file != NULL);
  return sr_source_read_safetensors("model.safetensors", file, g.n, source);
}

static void safetensors(void) {
  static const char head[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                             "\"a\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[4,16]},"
                             "\"ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[8,16]},"
                             "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}";
  sr_source source;
  float to[3];
  CU_ASSERT_EQUAL(read_safetensors(head, sizeof head - 1, 16, &source), SR_OK);
  CU_ASSERT_EQUAL(source.n_tensors, 2);
  const sr_source_tensor *a = sr_source_find(&source, "a"), *b = sr_source_find(&source, "b");
  CU_ASSERT_FATAL(a && b);
  CU_ASSERT(a->rank == 2 && a->dims[0] == 2 && a->dims[1] == 3 && b->rank == 1 && b->dims[0] == 1);
  CU_ASSERT_EQUAL(sr_source_rows(&source, a, 1, 1, to), SR_OK);
  const uint8_t bytes[6] = {10, 11, 12, 13, 14, 15};
  for (int i = 0; i < 3; i++) {
    const uint32_t bits = (uint32_t)(bytes[2 * i] | bytes[2 * i + 1] << 8) << 16;
    CU_ASSERT(memcmp(&to[i], &bits, 4) == 0);
  }
  sr_source_free(&source);
}

static void wrong_safetensors(void) {
  static const char *const heads[] = {
      "",
      "[]",
      "{\"a\":",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_"
      "offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[0,2]}}",
      "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,12]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,2],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2147483647,2147483647,2147483647],\"data_offsets\":[0,8]}}",
      "{\"a\":7}",
  };
  sr_source source;
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
    CU_ASSERT_EQUAL(read_safetensors(heads[i], strlen(heads[i]), 16, &source), SR_ERR_INPUT);
    sr_source_free(&source);
  }
  static const uint64_t lengths[] = {1000, UINT64_MAX, UINT64_MAX / 2};
  for (size_t i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(read_safetensors("{}", lengths[i], 16, &source), SR_ERR_INPUT);
    sr_source_free(&source);
  }
}

int main(void) {
  return run_suite("source", (const test_case[]){{"elements", elements},
                                                 {"good", good},
                                                 {"cut", cut},
                                                 {"damaged", damaged},
                                                 {"wrong", wrong},
                                                 {"safetensors", safetensors},
                                                 {"wrong safetensors", wrong_safetensors},
                                                 {0}});
}
