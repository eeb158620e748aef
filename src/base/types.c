#include <seqring/types.h>
#include <seqring/version.h>

static const struct {
  const char *name;
  size_t size;
  bool is_float;
} dtypes[] = {
    [SR_F16] = {"float16", 2, true}, [SR_BF16] = {"bfloat16", 2, true}, [SR_F32] = {"float32", 4, true},
    [SR_F64] = {"float64", 8, true}, [SR_I8] = {"int8", 1, false},      [SR_U8] = {"uint8", 1, false},
    [SR_I32] = {"int32", 4, false},  [SR_I64] = {"int64", 8, false},
};

static bool is_dtype(sr_dtype dtype) {
  return (size_t)dtype < sizeof dtypes / sizeof *dtypes;
}

size_t sr_dtype_size(sr_dtype dtype) {
  return is_dtype(dtype) ? dtypes[dtype].size : 0;
}

const char *sr_dtype_name(sr_dtype dtype) {
  return is_dtype(dtype) ? dtypes[dtype].name : "?";
}

bool sr_dtype_is_float(sr_dtype dtype) {
  return is_dtype(dtype) && dtypes[dtype].is_float;
}

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

const char *sr_version(void) {
  return TEXT(SR_VERSION_MAJOR) "." TEXT(SR_VERSION_MINOR) "." TEXT(SR_VERSION_PATCH);
}
