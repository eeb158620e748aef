#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/replace.h"
#include "file.h"
#include "output_layout.h"

/* Room for what HDF5 adds to the elements, in all and a dataset, and for the provenance. */
enum { METADATA = 128 << 10, METADATA_EACH = 4 << 10 };

static sr_status check_existing(const sr_output_spec *spec, const char *path, const struct stat *about) {
  const char *shown = sr_shown(path);
  if (S_ISDIR(about->st_mode)) return sr_fail(SR_ERR_OUTPUT, "%s: the output is a directory", shown);
  if (!S_ISREG(about->st_mode)) return sr_fail(SR_ERR_OUTPUT, "%s: the output exists and is not a regular file", shown);
  if (spec->input && sr_same_existing(spec->input, path))
    return sr_fail(SR_ERR_OUTPUT, "%s: the output is the input", shown);
  if (access(path, W_OK)) return sr_fail(SR_ERR_OUTPUT, "%s: the output exists: %s", shown, strerror(errno));
  if (!sr_may_replace(path))
    return sr_fail(SR_ERR_OUTPUT,
                   "%s: the output exists and is another user's, in a folder that lets nobody else replace it", shown);
  return SR_OK;
}

/* Where the output will stand: what a symbolic link at spec->path leads to, or that path itself. */
static sr_status find_place(const sr_output_spec *spec, char path[SR_PATH_MAX]) {
  size_t length = spec->path ? strlen(spec->path) : 0;
  if (length == 0) return sr_fail(SR_ERR_ARGUMENT, "no output was named");
  const char *shown = sr_shown(spec->path);
  if (length >= SR_PATH_MAX) return sr_fail(SR_ERR_OUTPUT, "%s: the path of the output is too long", shown);
  struct stat about;
  if (lstat(spec->path, &about)) {
    strcpy(path, spec->path);
    if (errno != ENOENT) return sr_fail(SR_ERR_OUTPUT, "%s: the output cannot be made: %s", shown, strerror(errno));
    if (path[length - 1] == '/') return sr_fail(SR_ERR_OUTPUT, "%s: the output is a directory", shown);
    return SR_OK;
  }
  if (!S_ISLNK(about.st_mode)) {
    strcpy(path, spec->path);
    return check_existing(spec, path, &about);
  }
  if (!sr_replace_target(spec->path, path, SR_PATH_MAX) || stat(path, &about))
    return sr_fail(SR_ERR_OUTPUT, "%s: the output is a link that leads nowhere: %s", shown, strerror(errno));
  return check_existing(spec, path, &about);
}

static sr_status check_folder(const char *path) {
  char folder[SR_PATH_MAX];
  sr_folder_of(path, folder, sizeof folder);
  struct stat about;
  if (stat(folder, &about))
    return sr_fail(SR_ERR_OUTPUT, "%s: the output's folder cannot be used: %s", sr_shown(path), strerror(errno));
  if (!S_ISDIR(about.st_mode))
    return sr_fail(SR_ERR_OUTPUT, "%s: the output's folder is not a directory", sr_shown(path));
  return SR_OK;
}

static sr_status make_empty(sr_output_file *file, int *fd) {
  *fd = sr_replace_open(file->path, file->partial, sizeof file->partial);
  if (*fd >= 0) return SR_OK;
  file->partial[0] = '\0';
  return sr_fail(sr_file_status(errno), "%s: the output cannot be made: %s", sr_shown(file->path), strerror(errno));
}

static sr_status no_room(const sr_output_file *file, uint64_t bytes, int error) {
  return sr_fail(sr_file_status(error), "%s: no room for an output of %" PRIu64 " bytes: %s", sr_shown(file->path),
                 bytes, strerror(error));
}

/* Blocks for that many bytes of the file, whose size stays, or, where the file system cannot reserve, a look at what is
 * free. */
static sr_status reserve(const sr_output_file *file, int fd, uint64_t bytes) {
  int result;
  do result = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
  while (result && errno == EINTR);
  if (result == 0) return SR_OK;
  if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) return no_room(file, bytes, errno);
  struct statvfs about;
  if (fstatvfs(fd, &about)) return no_room(file, bytes, errno);
  return bytes / about.f_frsize < about.f_bavail ? SR_OK : no_room(file, bytes, ENOSPC);
}

uint64_t sr_output_row_bytes(const sr_output_dataset *dataset) {
  uint64_t bytes = sr_dtype_size(dataset->dtype);
  if (dataset->rank < 1 || dataset->rank > SR_OUTPUT_RANK_MAX || dataset->dims[0] < 1) return 0;
  for (int i = 1; i < dataset->rank; i++)
    if (dataset->dims[i] < 1 || !sr_mul(bytes, (uint64_t)dataset->dims[i], &bytes)) return 0;
  return bytes;
}

static bool is_name(const char *name) {
  return name && *name && strcmp(name, ".") && !strchr(name, '/') && strlen(name) < SR_NAME_MAX;
}

static sr_status bad_name(const sr_output_spec *spec, const char *what, const char *name) {
  return sr_fail(SR_ERR_ARGUMENT, "%s: %s '%.100s': its name is impossible, or is there twice", sr_shown(spec->path),
                 what, name ? name : "");
}

/* Whether one of the first n datasets has a name. */
static bool is_dataset(const sr_output_spec *spec, int n, const char *name) {
  for (int i = 0; i < n; i++)
    if (!strcmp(name, spec->dataset[i].name)) return true;
  return false;
}

/* Datasets and dimensions lie in one group, of whose attributes some are seqring's. */
static sr_status check_names(const sr_output_spec *spec) {
  static const char *const own[] = {"creator", "provenance", "complete"};
  for (int i = 0; i < spec->n_datasets; i++) {
    const char *name = spec->dataset[i].name;
    if (!is_name(name) || is_dataset(spec, i, name)) return bad_name(spec, "dataset", name);
  }
  for (int i = 0; i < spec->n_datasets * SR_OUTPUT_RANK_MAX; i++) {
    const sr_output_dataset *dataset = &spec->dataset[i / SR_OUTPUT_RANK_MAX];
    const char *name = i % SR_OUTPUT_RANK_MAX < dataset->rank ? dataset->dimension[i % SR_OUTPUT_RANK_MAX] : NULL;
    if (name && (!is_name(name) || is_dataset(spec, spec->n_datasets, name))) return bad_name(spec, "dimension", name);
  }
  for (int i = 0; i < spec->n_texts; i++) {
    const char *name = spec->text[i].name;
    bool good = name && *name;
    for (int j = 0; good && j < i; j++) good = strcmp(name, spec->text[j].name) != 0;
    for (size_t j = 0; good && j < sizeof own / sizeof *own; j++) good = strcmp(name, own[j]) != 0;
    if (!good) return bad_name(spec, "text", name);
  }
  return SR_OK;
}

static sr_status count_bytes(const sr_output_spec *spec, uint64_t *total) {
  *total = 0;
  for (int i = 0; i < spec->n_datasets; i++) {
    const sr_output_dataset *dataset = &spec->dataset[i];
    uint64_t bytes = sr_output_row_bytes(dataset);
    if (bytes == 0 || !sr_mul(bytes, (uint64_t)dataset->dims[0], &bytes) || bytes > INT64_MAX / 4 - *total)
      return sr_fail(SR_ERR_ARGUMENT, "%s: dataset '%s': its shape is impossible", sr_shown(spec->path), dataset->name);
    *total += bytes;
  }
  return SR_OK;
}

/* What HDF5 made must have room for all rows. */
static sr_status check_made(const sr_output_spec *spec, sr_output_file *file, int fd, const uint64_t *offset) {
  struct stat about;
  if (fstat(fd, &about)) return sr_fail(SR_ERR_OUTPUT, "%s: fstat: %s", sr_shown(file->path), strerror(errno));
  file->inode = about.st_ino;
  file->size = (uint64_t)about.st_size;
  for (int i = 0; i < spec->n_datasets; i++)
    if (offset[i] + (uint64_t)spec->dataset[i].dims[0] * sr_output_row_bytes(&spec->dataset[i]) > file->size)
      return sr_fail(SR_ERR_OUTPUT, "%s: HDF5 made a file that is too short", sr_shown(file->path));
  return SR_OK;
}

/* Space is reserved before HDF5 writes, which takes a full disk badly, and again once HDF5 has set the file's size. */
static sr_status fill_and_reserve(const sr_output_spec *spec, sr_output_file *file, int fd, uint64_t total,
                                  uint64_t *offset) {
  SR_TRY(reserve(file, fd, total + METADATA + METADATA_EACH * (uint64_t)spec->n_datasets));
  SR_TRY(sr_output_layout_make(file->path, fd, spec, offset));
  SR_TRY(check_made(spec, file, fd, offset));
  SR_TRY(reserve(file, fd, file->size));
  if (fsync(fd))
    return sr_fail(sr_file_status(errno), "%s: did not reach the disk: %s", sr_shown(file->path), strerror(errno));
  return SR_OK;
}

sr_status sr_output_file_make(const sr_output_spec *spec, sr_output_file *file, uint64_t *offset) {
  *file = (sr_output_file){0};
  uint64_t total = 0;
  int fd = -1;
  SR_TRY(find_place(spec, file->path));
  SR_TRY(check_folder(file->path));
  SR_TRY(check_names(spec));
  SR_TRY(count_bytes(spec, &total));
  SR_TRY(make_empty(file, &fd));
  if (spec->made) spec->made(spec->made_data, file->partial);
  sr_status status = fill_and_reserve(spec, file, fd, total, offset);
  if (close(fd) && status == SR_OK) status = no_room(file, file->size, errno);
  if (status != SR_OK) sr_output_file_remove(file);
  return status;
}

static sr_status open_as(const sr_output_file *file, int flags, int *fd) {
  const char *shown = sr_shown(file->partial);
  struct stat about;
  do *fd = open(file->partial, flags | O_CLOEXEC | O_NOFOLLOW);
  while (*fd < 0 && errno == EINTR);
  if (*fd < 0)
    return sr_fail(SR_ERR_OUTPUT, "%s: cannot be opened on every node, whose folder must be shared: %s", shown,
                   strerror(errno));
  if (fstat(*fd, &about) == 0 && about.st_ino == file->inode && (uint64_t)about.st_size == file->size) return SR_OK;
  close(*fd);
  *fd = -1;
  return sr_fail(SR_ERR_OUTPUT, "%s: another file stands in its place", shown);
}

sr_status sr_output_file_open(const sr_output_file *file, int *fd) {
  return open_as(file, O_WRONLY, fd);
}

/* Some file systems cannot sync a folder, and say so with EINVAL. */
static sr_status sync_folder(const char *path) {
  char folder[SR_PATH_MAX];
  sr_folder_of(path, folder, sizeof folder);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int error = fd < 0 || fsync(fd) ? errno : 0;
  if (fd >= 0) close(fd);
  if (error == 0 || error == EINVAL || error == EACCES) return SR_OK;
  return sr_fail(SR_ERR_OUTPUT, "%s: is complete, but its folder did not reach the disk: %s", sr_shown(path),
                 strerror(error));
}

static sr_status complete(sr_output_file *file, int fd, const char *provenance) {
  SR_TRY(sr_output_layout_complete(file->path, fd, provenance));
  struct stat about;
  if (fstat(fd, &about) || (uint64_t)about.st_size < file->size)
    return sr_fail(SR_ERR_OUTPUT, "%s: it was cut while it was written", sr_shown(file->path));
  if (ftruncate(fd, about.st_size) || fsync(fd)) /* the cut gives back what was reserved beyond the end */
    return sr_fail(sr_file_status(errno), "%s: did not reach the disk: %s", sr_shown(file->path), strerror(errno));
  if (!sr_replace_finish(fd, file->partial, file->path))
    return sr_fail(sr_file_status(errno), "%s: cannot get its final name: %s", sr_shown(file->path), strerror(errno));
  file->partial[0] = '\0';
  return sync_folder(file->path);
}

/* Opening it once more makes a client of NFS look at what others have written. */
sr_status sr_output_file_finish(sr_output_file *file, const char *provenance) {
  int fd;
  SR_TRY(open_as(file, O_RDWR, &fd));
  sr_status status = complete(file, fd, provenance);
  close(fd); /* it has been synced */
  return status;
}

void sr_output_file_remove(sr_output_file *file) {
  if (file->partial[0]) unlink(file->partial);
  file->partial[0] = '\0';
}
