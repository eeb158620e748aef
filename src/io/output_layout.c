#include "output_layout.h"

#include <hdf5_hl.h>
#include <seqring/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "file.h"
#include "h5.h"
#include "h5_sink.h"

/* The scales of dimensions hold no data, and netCDF-4 takes them for dimensions without coordinates by this name. */
#define NOT_A_VARIABLE "This is a netCDF dimension but not a netCDF variable.%10lld"

/* A dimension by its name. */
typedef struct dimension {
  const char *name;
  int64_t length;
  hid_t scale;
} dimension;

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

static dimension *find_dimension(dimension *all, int n, const char *name) {
  for (int i = 0; i < n; i++)
    if (!strcmp(all[i].name, name)) return &all[i];
  return NULL;
}

/* The names of all dimensions, in the order in which they come; -1 when one has two lengths. */
static int list_dimensions(const sr_output_spec *spec, dimension *all) {
  int n = 0;
  for (int i = 0; i < spec->n_datasets; i++)
    for (int j = 0; j < spec->dataset[i].rank; j++) {
      const int64_t length = spec->dataset[i].dims[j];
      const char *name = spec->dataset[i].dimension[j];
      const dimension *same = name ? find_dimension(all, n, name) : NULL;
      if (same && same->length != length) return -1;
      if (name && !same) all[n++] = (dimension){name, length, H5I_INVALID_HID};
    }
  return n;
}

static bool describe(hid_t id, const sr_output_dataset *as, dimension *dimensions, int n) {
  for (int i = 0; i < as->rank; i++)
    if (as->dimension[i] &&
        H5DSattach_scale(id, find_dimension(dimensions, n, as->dimension[i])->scale, (unsigned)i) < 0)
      return false;
  if (as->long_name && sr_h5_put_text(id, "long_name", as->long_name) < 0) return false;
  if (as->units && sr_h5_put_text(id, "units", as->units) < 0) return false;
  return as->dtype != SR_BF16 || sr_h5_put_text(id, "dtype", "bfloat16") >= 0;
}

static hid_t make_elements(hid_t file, const sr_output_dataset *as) {
  hsize_t dims[SR_OUTPUT_RANK_MAX];
  for (int i = 0; i < as->rank; i++) dims[i] = (hsize_t)as->dims[i];
  hid_t list = create_list(H5P_DATASET_CREATE), type = sr_h5_type(as->dtype), id = H5I_INVALID_HID;
  hid_t space = H5Screate_simple(as->rank, dims, NULL);
  if (list >= 0 && type >= 0 && space >= 0 && H5Pset_layout(list, H5D_CONTIGUOUS) >= 0 &&
      H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) >= 0 && H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) >= 0)
    id = H5Dcreate2(file, as->name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  if (list >= 0) H5Pclose(list);
  return id;
}

static bool make_dataset(hid_t file, const sr_output_dataset *as, dimension *dimensions, int n, uint64_t *offset) {
  hid_t id = make_elements(file, as);
  if (id < 0) return false;
  bool good = describe(id, as, dimensions, n);
  const haddr_t at = H5Dget_offset(id);
  *offset = at;
  return H5Dclose(id) >= 0 && good && at != HADDR_UNDEF;
}

static bool fill_file(hid_t file, const sr_output_spec *spec, dimension *dimensions, int n, uint64_t *offset) {
  char creator[64];
  snprintf(creator, sizeof creator, "seqring %s", sr_version());
  bool good = sr_h5_put_text(file, "creator", creator) >= 0;
  for (int i = 0; i < spec->n_texts && good; i++)
    good = sr_h5_put_text(file, spec->text[i].name, spec->text[i].text) >= 0;
  for (int i = 0; i < n && good; i++) {
    dimension *d = &dimensions[i];
    good = (d->scale = make_scale(file, d->name, (hsize_t)d->length)) >= 0;
  }
  for (int i = 0; i < spec->n_datasets && good; i++)
    good = make_dataset(file, &spec->dataset[i], dimensions, n, &offset[i]);
  for (int i = 0; i < n; i++)
    if (dimensions[i].scale >= 0 && H5Dclose(dimensions[i].scale) < 0) good = false;
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

static sr_status make_file(const char *path, int fd, const sr_output_spec *spec, dimension *dimensions, int n,
                           uint64_t *offset) {
  sr_h5_quiet quiet;
  sr_h5_begin(&quiet);
  sr_h5_sink sink = {.fd = fd};
  hid_t list = create_list(H5P_FILE_CREATE);
  hid_t file = list < 0 ? list : sr_h5_sink_create(&sink, path, list);
  sr_status status = file < 0 ? sr_h5_fail(SR_ERR_OUTPUT, "%s: HDF5 cannot create it", sr_shown(path))
                              : close_file(path, file, &sink, fill_file(file, spec, dimensions, n, offset));
  if (list >= 0) H5Pclose(list);
  sr_h5_end(&quiet);
  return status;
}

sr_status sr_output_layout_make(const char *path, int fd, const sr_output_spec *spec, uint64_t *offset) {
  dimension *all = calloc((size_t)spec->n_datasets * SR_OUTPUT_RANK_MAX + 1, sizeof *all);
  if (!all) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to make it", sr_shown(path));
  const int n = list_dimensions(spec, all);
  sr_status status = n < 0 ? sr_fail(SR_ERR_ARGUMENT, "%s: a dimension of two lengths", sr_shown(path))
                           : make_file(path, fd, spec, all, n, offset);
  free(all);
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
