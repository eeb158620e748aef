#include "h5.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

void sr_h5_begin(sr_h5_quiet *quiet) {
  if (H5Eget_auto2(H5E_DEFAULT, &quiet->print, &quiet->data) < 0) *quiet = (sr_h5_quiet){0};
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  if (H5PLget_loading_state(&quiet->plugins) < 0) quiet->plugins = 0;
  H5PLset_loading_state(0);
}

void sr_h5_end(const sr_h5_quiet *quiet) {
  H5Eset_auto2(H5E_DEFAULT, quiet->print, quiet->data);
  H5PLset_loading_state(quiet->plugins);
}

static herr_t keep_innermost(unsigned n, const H5E_error2_t *error, void *words) {
  if (n == 0 && error->desc) snprintf(words, SR_ERROR_TEXT, "%s", error->desc);
  return 0;
}

sr_status sr_h5_fail(sr_status status, const char *format, ...) {
  char words[SR_ERROR_TEXT] = "", text[SR_ERROR_TEXT];
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, words);
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (!words[0]) return sr_fail(status, "%s", text);
  return sr_fail(status, "%s: %s", text, words);
}

static hid_t access_list(void) {
  hid_t list = H5Pcreate(H5P_FILE_ACCESS);
  if (list < 0) return list;
  bool good = H5Pset_fapl_sec2(list) >= 0 && H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) >= 0;
#if H5_VERSION_GE(1, 10, 7)
  good = good && H5Pset_file_locking(list, 1, 1) >= 0;
#endif
  if (good) return list;
  H5Pclose(list);
  return H5I_INVALID_HID;
}

hid_t sr_h5_open(const char *path) {
  hid_t list = access_list();
  if (list < 0) return list;
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, list);
  if (file >= 0) H5Pclose(list); /* after a failure the words about it are still wanted */
  return file;
}

/* Bit positions of the IEEE 754 formats. */
static const struct {
  sr_dtype dtype;
  size_t size, sign, exponent_at, exponent_bits, fraction_bits, bias;
} ieee[] = {
    {SR_F16, 2, 15, 10, 5, 10, 15},
    {SR_F32, 4, 31, 23, 8, 23, 127},
    {SR_F64, 8, 63, 52, 11, 52, 1023},
};

enum { N_IEEE = sizeof ieee / sizeof *ieee };

bool sr_h5_is_float(hid_t type, sr_dtype *dtype) {
  if (H5Tget_class(type) != H5T_FLOAT || H5Tget_norm(type) != H5T_NORM_IMPLIED || H5Tget_offset(type) != 0)
    return false;
  H5T_order_t order = H5Tget_order(type);
  if (order != H5T_ORDER_LE && order != H5T_ORDER_BE) return false;
  size_t sign, exponent_at, exponent_bits, fraction_at, fraction_bits;
  if (H5Tget_fields(type, &sign, &exponent_at, &exponent_bits, &fraction_at, &fraction_bits) < 0) return false;
  for (int i = 0; i < N_IEEE; i++)
    if (H5Tget_size(type) == ieee[i].size && H5Tget_precision(type) == 8 * ieee[i].size && sign == ieee[i].sign &&
        exponent_at == ieee[i].exponent_at && exponent_bits == ieee[i].exponent_bits && fraction_at == 0 &&
        fraction_bits == ieee[i].fraction_bits && H5Tget_ebias(type) == ieee[i].bias) {
      *dtype = ieee[i].dtype;
      return true;
    }
  return false;
}

bool sr_h5_is_integer(hid_t type, sr_dtype *dtype) {
  if (H5Tget_class(type) != H5T_INTEGER || H5Tget_offset(type) != 0) return false;
  const H5T_order_t order = H5Tget_order(type);
  const size_t size = H5Tget_size(type);
  const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
  if (H5Tget_precision(type) != 8 * size || (order != H5T_ORDER_LE && order != H5T_ORDER_BE)) return false;
  for (sr_dtype d = SR_I8; d <= SR_I64; d++)
    if (sr_dtype_size(d) == size && (d != SR_U8) == is_signed) {
      *dtype = d;
      return true;
    }
  return false;
}

static hid_t make_float16(void) {
  hid_t type = H5Tcopy(H5T_NATIVE_FLOAT);
  if (type < 0) return type;
  if (H5Tset_fields(type, 15, 10, 5, 0, 10) >= 0 && H5Tset_size(type, 2) >= 0 && H5Tset_ebias(type, 15) >= 0)
    return type;
  H5Tclose(type);
  return H5I_INVALID_HID;
}

hid_t sr_h5_type(sr_dtype dtype) {
  switch (dtype) {
  case SR_F16:
    return make_float16();
  case SR_BF16:
    return H5Tcopy(H5T_NATIVE_UINT16);
  case SR_F32:
    return H5Tcopy(H5T_NATIVE_FLOAT);
  case SR_F64:
    return H5Tcopy(H5T_NATIVE_DOUBLE);
  case SR_I8:
    return H5Tcopy(H5T_NATIVE_INT8);
  case SR_U8:
    return H5Tcopy(H5T_NATIVE_UINT8);
  case SR_I32:
    return H5Tcopy(H5T_NATIVE_INT32);
  case SR_I64:
    return H5Tcopy(H5T_NATIVE_INT64);
  }
  return H5I_INVALID_HID;
}

static bool get_variable(hid_t attribute, hid_t type, char *text, size_t size) {
  char *value = NULL;
  if (H5Aread(attribute, type, (void *)&value) < 0 || !value) return false;
  snprintf(text, size, "%s", value);
  H5free_memory(value);
  return true;
}

static bool get_fixed(hid_t attribute, hid_t type, char *text, size_t size) {
  size_t length = H5Tget_size(type);
  char value[1024];
  if (length == 0 || length >= sizeof value || H5Aread(attribute, type, value) < 0) return false;
  value[length] = '\0';
  if (H5Tget_strpad(type) == H5T_STR_SPACEPAD)
    while (length > 0 && value[length - 1] == ' ') value[--length] = '\0';
  snprintf(text, size, "%s", value);
  return true;
}

bool sr_h5_get_text(hid_t object, const char *name, char *text, size_t size) {
  text[0] = '\0';
  if (H5Aexists(object, name) <= 0) return false;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5I_INVALID_HID, space = H5I_INVALID_HID;
  bool found = attribute >= 0 && (type = H5Aget_type(attribute)) >= 0 && (space = H5Aget_space(attribute)) >= 0 &&
               H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1;
  if (found)
    found = H5Tis_variable_str(type) > 0 ? get_variable(attribute, type, text, size)
                                         : get_fixed(attribute, type, text, size);
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  if (attribute >= 0) H5Aclose(attribute);
  return found;
}

herr_t sr_h5_put_text(hid_t object, const char *name, const char *text) {
  herr_t done = -1;
  hid_t attribute = H5I_INVALID_HID;
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  if (type < 0 || space < 0) goto out;
  if (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0) goto out;
  attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) goto out;
  done = H5Awrite(attribute, type, (const void *)&text);
out:
  if (attribute >= 0 && H5Aclose(attribute) < 0) done = -1;
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  return done;
}
