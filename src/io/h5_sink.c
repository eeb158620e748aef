#include "h5_sink.h"

#include <errno.h>
#include <seqring/status.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

/* What HDF5 carries along for an open file; pub must be the first member. */
typedef struct sink_file {
  H5FD_t pub;
  sr_h5_sink *sink;
  haddr_t eoa, eof;
} sink_file;

static H5FD_t *sink_open(const char *name, unsigned flags, hid_t access, haddr_t maxaddr) {
  (void)name;
  (void)flags;
  (void)maxaddr;
  sr_h5_sink *const *info = H5Pget_driver_info(access);
  struct stat about;
  if (!info || fstat((*info)->fd, &about)) return NULL;
  sink_file *file = calloc(1, sizeof *file);
  if (!file) return NULL;
  file->sink = *info;
  file->eof = (haddr_t)about.st_size;
  return &file->pub;
}

static herr_t sink_close(H5FD_t *file) {
  free(file);
  return 0;
}

static herr_t sink_query(const H5FD_t *file, unsigned long *flags) {
  (void)file;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_AGGREGATE_SMALLDATA |
           H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t sink_get_eoa(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return ((const sink_file *)file)->eoa;
}

static herr_t sink_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t eoa) {
  (void)type;
  ((sink_file *)file)->eoa = eoa;
  return 0;
}

static haddr_t sink_get_eof(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return ((const sink_file *)file)->eof;
}

/* What lies past the end reads as zeros, as it does with HDF5's own driver. */
static herr_t sink_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size, void *to) {
  (void)type;
  (void)transfer;
  const sink_file *from = (const sink_file *)file;
  size_t there = at >= from->eof ? 0 : from->eof - at < size ? (size_t)(from->eof - at) : size;
  memset((char *)to + there, 0, size - there);
  return sr_file_read(from->sink->fd, "output", to, there, at) == SR_OK ? 0 : -1;
}

static herr_t sink_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size, const void *from) {
  (void)type;
  (void)transfer;
  sink_file *to = (sink_file *)file;
  sr_h5_sink *sink = to->sink;
  uint64_t offset = at;
  if (sink->error == 0) sink->error = sr_file_put(sink->fd, from, size, &offset);
  if (at + size > to->eof) to->eof = at + size;
  return 0;
}

static herr_t sink_truncate(H5FD_t *file, hid_t transfer, hbool_t closing) {
  (void)transfer;
  (void)closing;
  sink_file *to = (sink_file *)file;
  if (to->eoa == to->eof) return 0;
  if (to->sink->error == 0 && ftruncate(to->sink->fd, (off_t)to->eoa)) to->sink->error = errno;
  to->eof = to->eoa;
  return 0;
}

static const H5FD_class_t sink_class = {
#if H5_VERSION_GE(1, 14, 0)
    .version = H5FD_CLASS_VERSION,
    .value = 510, /* of the range that HDF5 leaves to others for trial and private use */
#endif
    .name = "seqring_sink",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(sr_h5_sink *),
    .open = sink_open,
    .close = sink_close,
    .query = sink_query,
    .get_eoa = sink_get_eoa,
    .set_eoa = sink_set_eoa,
    .get_eof = sink_get_eof,
    .read = sink_read,
    .write = sink_write,
    .truncate = sink_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

static hid_t open_or_create(sr_h5_sink *sink, const char *name, hid_t create_list) {
  hid_t file = H5I_INVALID_HID, driver = H5FDregister(&sink_class), access = H5Pcreate(H5P_FILE_ACCESS);
  if (driver >= 0 && access >= 0 && H5Pset_driver(access, driver, &sink) >= 0)
    file = create_list >= 0 ? H5Fcreate(name, H5F_ACC_TRUNC, create_list, access) : H5Fopen(name, H5F_ACC_RDWR, access);
  if (file < 0) return file; /* without another call, so that HDF5's words about it are kept */
  H5Pclose(access);
  H5FDunregister(driver); /* open files hold on to it */
  return file;
}

hid_t sr_h5_sink_create(sr_h5_sink *sink, const char *name, hid_t create_list) {
  return open_or_create(sink, name, create_list);
}

hid_t sr_h5_sink_open(sr_h5_sink *sink, const char *name) {
  return open_or_create(sink, name, H5I_INVALID_HID);
}
