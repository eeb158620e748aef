#include "output_layout.h"

#include <hdf5_hl.h>
#include <seqring/version.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "file.h"
#include "h5.h"
#include "h5_sink.h"

/* The dimensions. Their datasets hold no data, and netCDF-4 takes them for dimensions without coordinates by this name.
 */
enum { TOKEN, HEAD, VALUE, N_SCALES };
static const char *const scale_names[N_SCALES] = {"token", "head", "value"};
#define NOT_A_VARIABLE "This is a netCDF dimension but not a netCDF variable.%10lld"

typedef struct shape {
  const char *name, *long_name;
  sr_dtype dtype;
  int rank;
  hsize_t dims[N_SCALES]; /* in the order of scale_names */
} shape;

/* Keeps the order in which links and attributes are made, which netCDF-4 wants, and no times, so that equal outputs are
 * equal files. */
static hid_t create_list(hid_t class) {
  unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  hid_t list = H5Pcreate(class);
  if (list < 0) return list;
  if (H5Pset_attr_creation_order(list, order) >= 0 && H5Pset_obj_track_times(list, 0) >= 0 &&
      (class != H5P_FILE_CREATE || H5Pset_link_creation_order(list, order) >= 0))
    return list;
  H5Pclose(list);
  return H5I_INVALID_HID;
}

/* A dataset without elements on the disk, that gives a dimension its name. */
static hid_t make_scale(hid_t file, const char *name, hsize_t length) {
  char label[128];
  snprintf(label, sizeof label, NOT_A_VARIABLE, (long long)length);
  hid_t list = create_list(H5P_DATASET_CREATE), space = H5Screate_simple(1, &length, NULL), id = H5I_INVALID_HID;
  if (list >= 0 && space >= 0 && H5Pset_alloc_time(list, H5D_ALLOC_TIME_LATE) >= 0)
    id = H5Dcreate2(file, name, H5T_IEEE_F32BE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  if (id >= 0 && H5DSset_scale(id, label) < 0) {
    H5Dclose(id);
    id = H5I_INVALID_HID;
  }
  if (space >= 0) H5Sclose(space);
  if (list >= 0) H5Pclose(list);
  return id;
}

static bool describe(hid_t id, const shape *as, const hid_t *scale) {
  for (int i = 0; i < as->rank; i++)
    if (H5DSattach_scale(id, scale[i], (unsigned)i) < 0) return false;
  if (sr_h5_put_text(id, "long_name", as->long_name) < 0 || sr_h5_put_text(id, "units", "1") < 0) return false;
  return as->dtype != SR_BF16 || sr_h5_put_text(id, "dtype", "bfloat16") >= 0;
}

static bool make_dataset(hid_t file, const shape *as, const hid_t *scale, uint64_t *offset) {
  hid_t list = create_list(H5P_DATASET_CREATE), type = sr_h5_type(as->dtype), id = H5I_INVALID_HID;
  hid_t space = H5Screate_simple(as->rank, as->dims, NULL);
  bool good = list >= 0 && type >= 0 && space >= 0 && H5Pset_layout(list, H5D_CONTIGUOUS) >= 0 &&
              H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) >= 0 && H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) >= 0;
  if (good) id = H5Dcreate2(file, as->name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
  good = id >= 0 && describe(id, as, scale);
  if (good) {
    haddr_t at = H5Dget_offset(id);
    good = at != HADDR_UNDEF;
    *offset = at;
  }
  if (id >= 0 && H5Dclose(id) < 0) good = false;
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  if (list >= 0) H5Pclose(list);
  return good;
}

static bool fill_file(hid_t file, const sr_output_spec *spec, uint64_t offset[2]) {
  const hsize_t dims[N_SCALES] = {(hsize_t)spec->q_len, (hsize_t)spec->q_heads, (hsize_t)spec->value_dim};
  const shape shapes[2] = {
      [SR_OUTPUT_O] = {"o", "attention output", spec->out_dtype, 3, {dims[TOKEN], dims[HEAD], dims[VALUE]}},
      [SR_OUTPUT_LSE] =
          {"lse", "natural logarithm of the sum of exp(scaled scores)", spec->lse_dtype, 2, {dims[TOKEN], dims[HEAD]}},
  };
  char creator[64];
  snprintf(creator, sizeof creator, "seqring %s", sr_version());
  hid_t scale[N_SCALES] = {H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID};
  bool good = sr_h5_put_text(file, "creator", creator) >= 0;
  for (int i = 0; i < N_SCALES && good; i++) good = (scale[i] = make_scale(file, scale_names[i], dims[i])) >= 0;
  for (int i = 0; i < 2 && good; i++) good = make_dataset(file, &shapes[i], scale, &offset[i]);
  for (int i = 0; i < N_SCALES; i++)
    if (scale[i] >= 0 && H5Dclose(scale[i]) < 0) good = false;
  return good;
}

/* good: whether all went well so far. */
static sr_status close_file(const char *path, hid_t file, const sr_h5_sink *sink, bool good) {
  const char *shown = sr_shown(path);
  sr_status status = good ? SR_OK : sr_h5_fail(SR_ERR_OUTPUT, "%s: HDF5 cannot fill it", shown);
  if (H5Fclose(file) < 0 && status == SR_OK) status = sr_h5_fail(SR_ERR_OUTPUT, "%s: HDF5 cannot close it", shown);
  if (sink->error)
    status = sr_fail(sr_file_status(sink->error), "%s: cannot be written: %s", shown, strerror(sink->error));
  return status;
}

sr_status sr_output_layout_make(const char *path, int fd, const sr_output_spec *spec, uint64_t offset[2]) {
  sr_h5_quiet quiet;
  sr_h5_begin(&quiet);
  sr_h5_sink sink = {.fd = fd};
  hid_t list = create_list(H5P_FILE_CREATE);
  hid_t file = list < 0 ? list : sr_h5_sink_create(&sink, path, list);
  sr_status status = file < 0 ? sr_h5_fail(SR_ERR_OUTPUT, "%s: HDF5 cannot create it", sr_shown(path))
                              : close_file(path, file, &sink, fill_file(file, spec, offset));
  if (list >= 0) H5Pclose(list);
  sr_h5_end(&quiet);
  return status;
}

static bool put_mark(hid_t file) {
  int one = 1;
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t attribute = space < 0 ? space : H5Acreate2(file, "complete", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
  bool good = attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_INT, &one) >= 0;
  if (attribute >= 0 && H5Aclose(attribute) < 0) good = false;
  if (space >= 0) H5Sclose(space);
  return good;
}

sr_status sr_output_layout_complete(const char *path, int fd, const char *provenance) {
  sr_h5_quiet quiet;
  sr_h5_begin(&quiet);
  sr_h5_sink sink = {.fd = fd};
  hid_t file = sr_h5_sink_open(&sink, path);
  sr_status status =
      file < 0 ? sr_h5_fail(SR_ERR_OUTPUT, "%s: HDF5 cannot open it again", sr_shown(path))
               : close_file(path, file, &sink, sr_h5_put_text(file, "provenance", provenance) >= 0 && put_mark(file));
  sr_h5_end(&quiet);
  return status;
}
