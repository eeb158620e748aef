#include <seqring/types.h>
#include <seqring/version.h>

size_t sr_dtype_size(sr_dtype dtype) {
  switch (dtype) {
  case SR_F16:
  case SR_BF16:
    return 2;
  case SR_F32:
    return 4;
  case SR_F64:
    return 8;
  }
  return 0;
}

const char *sr_dtype_name(sr_dtype dtype) {
  switch (dtype) {
  case SR_F16:
    return "float16";
  case SR_BF16:
    return "bfloat16";
  case SR_F32:
    return "float32";
  case SR_F64:
    return "float64";
  }
  return "?";
}

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

const char *sr_version(void) {
  return TEXT(SR_VERSION_MAJOR) "." TEXT(SR_VERSION_MINOR) "." TEXT(SR_VERSION_PATCH);
}
