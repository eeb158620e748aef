#include "gate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "file.h"
#include "h5.h"

/* A dataset under examination. */
typedef struct subject {
  const sr_gate *gate;
  sr_dataset_info *info;
  char where[SR_WHERE_TEXT]; /* how messages name it */
  hid_t id, plist, type, space;
  H5D_layout_t layout;
  unsigned filters; /* bit i: the filter of id i, for the few that are read */
  hsize_t dims[H5S_MAX_RANK], chunk[H5S_MAX_RANK];
  uint64_t bytes; /* that the elements take */
} subject;

static const char *const link_words[] = {"soft link", "external link", "user-defined link"};

static const char *link_word(H5L_type_t type) {
  return link_words[type == H5L_TYPE_SOFT ? 0 : type == H5L_TYPE_EXTERNAL ? 1 : 2];
}

static void append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void append(char *text, size_t size, const char *format, ...) {
  size_t length = strlen(text);
  va_list args;
  va_start(args, format);
  vsnprintf(text + length, size - length, format, args);
  va_end(args);
}

/* One step of a group's path, along a hard link. */
static sr_status enter(sr_gate *gate, const char *step) {
  htri_t there = H5Lexists(gate->in, step, H5P_DEFAULT);
  if (there < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: the links of group '%s' cannot be read", gate->path, gate->group);
  if (!there) return sr_fail(SR_ERR_INPUT, "%s: no group '%s': there is no '%s'", gate->path, gate->group, step);
  H5L_info_t link;
  H5O_info_t object;
  if (H5Lget_info(gate->in, step, &link, H5P_DEFAULT) < 0)
    return sr_h5_fail(SR_ERR_INPUT, "%s: group '%s': the link '%s' cannot be read", gate->path, gate->group, step);
  if (link.type != H5L_TYPE_HARD)
    return sr_fail(SR_ERR_INPUT, "%s: group '%s': '%s' is %s %s, which is refused", gate->path, gate->group, step,
                   link.type == H5L_TYPE_EXTERNAL ? "an" : "a", link_word(link.type));
  if (H5Oget_info_by_name(gate->in, step, &object, H5P_DEFAULT) < 0)
    return sr_h5_fail(SR_ERR_INPUT, "%s: group '%s': '%s' cannot be read", gate->path, gate->group, step);
  if (object.type != H5O_TYPE_GROUP)
    return sr_fail(SR_ERR_INPUT, "%s: '%s' is not a group: '%s' is a %s", gate->path, gate->group, step,
                   object.type == H5O_TYPE_DATASET ? "dataset" : "datatype");
  hid_t in = H5Gopen2(gate->in, step, H5P_DEFAULT);
  if (in < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: group '%s' cannot be opened", gate->path, gate->group);
  gate->in = in;
  return SR_OK;
}

/* HDF5 opens a file by its name, which may have come to stand for another one. */
static sr_status check_same(const sr_gate *gate, const struct stat *about) {
  struct stat opened;
  int *fd = NULL;
  if (H5Fget_vfd_handle(gate->file, H5P_DEFAULT, (void **)&fd) < 0 || !fd || fstat(*fd, &opened))
    return sr_h5_fail(SR_ERR_INPUT, "%s: HDF5 does not tell which file it opened", gate->path);
  if (opened.st_dev == about->st_dev && opened.st_ino == about->st_ino) return SR_OK;
  return sr_fail(SR_ERR_INPUT, "%s: it has changed while it was looked at", gate->path);
}

sr_status sr_gate_open(const char *path, const char *group, const struct stat *about, sr_gate *gate) {
  *gate = (sr_gate){.path = sr_shown(path), .group = sr_shown(group), .size = (uint64_t)about->st_size};
  sr_h5_quiet forever;
  sr_h5_begin(&forever);
  if (H5PLset_loading_state(0) < 0)
    return sr_h5_fail(SR_ERR_INTERNAL, "%s: HDF5 does not let its plug-ins be switched off", gate->path);
  gate->file = sr_h5_open(path);
  if (gate->file < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: HDF5 cannot open it", gate->path);
  SR_TRY(check_same(gate, about));
  gate->in = H5Gopen2(gate->file, "/", H5P_DEFAULT);
  if (gate->in < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: HDF5 cannot open its root group", gate->path);
  char steps[SR_PATH_MAX];
  snprintf(steps, sizeof steps, "%s", group);
  char *rest = NULL;
  for (char *step = strtok_r(steps, "/", &rest); step; step = strtok_r(NULL, "/", &rest)) SR_TRY(enter(gate, step));
  return SR_OK;
}

static sr_status find(subject *s) {
  const char *name = s->info->name;
  htri_t there = H5Lexists(s->gate->in, name, H5P_DEFAULT);
  if (there < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: the links of its group cannot be read", s->where);
  if (!there)
    return sr_fail(SR_ERR_INPUT, "%s: there is no dataset '%s' in group '%.200s'", s->gate->path, name, s->gate->group);
  H5L_info_t link;
  H5O_info_t object;
  if (H5Lget_info(s->gate->in, name, &link, H5P_DEFAULT) < 0)
    return sr_h5_fail(SR_ERR_INPUT, "%s: its link cannot be read", s->where);
  if (link.type != H5L_TYPE_HARD) {
    append(s->info->type, sizeof s->info->type, "%s", link_word(link.type));
    return sr_fail(SR_ERR_INPUT, "%s: it is reached through %s %s, which is refused", s->where,
                   link.type == H5L_TYPE_EXTERNAL ? "an" : "a", link_word(link.type));
  }
  if (H5Oget_info_by_name(s->gate->in, name, &object, H5P_DEFAULT) < 0)
    return sr_h5_fail(SR_ERR_INPUT, "%s: its header cannot be read", s->where);
  if (object.type != H5O_TYPE_DATASET) {
    append(s->info->type, sizeof s->info->type, "%s", object.type == H5O_TYPE_GROUP ? "group" : "datatype");
    return sr_fail(SR_ERR_INPUT, "%s: it is a %s and not a dataset", s->where, s->info->type);
  }
  s->id = H5Dopen2(s->gate->in, name, H5P_DEFAULT);
  if (s->id < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: it cannot be opened", s->where);
  s->plist = H5Dget_create_plist(s->id);
  s->type = H5Dget_type(s->id);
  if (s->plist < 0 || s->type < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: its layout and type cannot be read", s->where);
  return SR_OK;
}

static const char *filter_word(H5Z_filter_t filter, const char *name_in_file) {
  static const struct {
    H5Z_filter_t filter;
    const char *word;
  } known[] = {{H5Z_FILTER_DEFLATE, "deflate"},
               {H5Z_FILTER_SHUFFLE, "shuffle"},
               {H5Z_FILTER_FLETCHER32, "fletcher32"},
               {H5Z_FILTER_SZIP, "szip"},
               {H5Z_FILTER_NBIT, "nbit"},
               {H5Z_FILTER_SCALEOFFSET, "scaleoffset"},
               {32000, "lzf"},
               {32001, "blosc"},
               {32004, "lz4"},
               {32013, "zfp"},
               {32015, "zstd"},
               {32026, "blosc2"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].filter == filter) return known[i].word;
  return name_in_file[0] ? name_in_file : "unnamed filter";
}

static bool filter_is_read(H5Z_filter_t filter) {
  return filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32;
}

/* The words for all filters come first, so that a listing is whole even when one is refused. */
static sr_status check_filters(subject *s) {
  int n = H5Pget_nfilters(s->plist);
  if (n < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: its filters cannot be read", s->where);
  char refused[64] = "", twice[64] = "";
  for (int i = 0; i < n; i++) {
    char name[48] = "";
    unsigned flags, config;
    size_t values = 0;
    H5Z_filter_t filter = H5Pget_filter2(s->plist, (unsigned)i, &flags, &values, NULL, sizeof name, name, &config);
    if (filter < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: its filters cannot be read", s->where);
    name[sizeof name - 1] = '\0';
    const char *word = filter_word(filter, name);
    append(s->info->storage, sizeof s->info->storage, ", %s", word);
    if (!filter_is_read(filter) || H5Zfilter_avail(filter) <= 0)
      snprintf(refused, sizeof refused, "%s (%d)", word, (int)filter);
    else if (s->filters & 1u << filter)
      snprintf(twice, sizeof twice, "%s", word);
    else
      s->filters |= 1u << filter;
  }
  if (refused[0])
    return sr_fail(SR_ERR_INPUT, "%s: filter %s is refused: deflate, shuffle and fletcher32 are read", s->where,
                   refused);
  if (twice[0]) return sr_fail(SR_ERR_INPUT, "%s: filter %s is applied twice, which is refused", s->where, twice);
  return SR_OK;
}

static sr_status check_chunks(subject *s) {
  sr_dataset_info *info = s->info;
  int rank = H5Pget_chunk(s->plist, H5S_MAX_RANK, s->chunk);
  if (rank < 1 || rank > H5S_MAX_RANK) return sr_h5_fail(SR_ERR_INPUT, "%s: its chunks cannot be read", s->where);
  append(info->storage, sizeof info->storage, "chunks [");
  for (int i = 0; i < rank; i++)
    append(info->storage, sizeof info->storage, "%s%" PRIuHSIZE, i ? ", " : "", s->chunk[i]);
  append(info->storage, sizeof info->storage, "]");
  for (int i = 0; i < rank; i++)
    if (s->chunk[i] == 0) return sr_fail(SR_ERR_INPUT, "%s: its chunks are empty", s->where);
  return SR_OK;
}

static sr_status check_layout(subject *s) {
  sr_dataset_info *info = s->info;
  s->layout = H5Pget_layout(s->plist);
  if (s->layout == H5D_CHUNKED)
    SR_TRY(check_chunks(s));
  else if (s->layout == H5D_CONTIGUOUS || s->layout == H5D_COMPACT || s->layout == H5D_VIRTUAL)
    append(info->storage, sizeof info->storage, "%s",
           s->layout == H5D_CONTIGUOUS ? "contiguous"
           : s->layout == H5D_COMPACT  ? "compact"
                                       : "virtual");
  else
    return sr_h5_fail(SR_ERR_INPUT, "%s: its layout is unknown", s->where);
  if (s->layout == H5D_VIRTUAL)
    return sr_fail(SR_ERR_INPUT, "%s: it is a virtual dataset, made of other files, which is refused", s->where);
  int outside = H5Pget_external_count(s->plist);
  if (outside != 0) {
    snprintf(info->storage, sizeof info->storage, "external");
    return sr_fail(SR_ERR_INPUT, "%s: its elements lie in other files (external storage), which is refused", s->where);
  }
  s->info->file_bytes = H5Dget_storage_size(s->id);
  return check_filters(s);
}

static void describe_other_type(hid_t type, char *words, size_t size) {
  H5T_class_t class = H5Tget_class(type);
  size_t bits = 8 * H5Tget_size(type);
  if (class == H5T_INTEGER)
    snprintf(words, size, "%sint%zu", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
  else if (class == H5T_FLOAT)
    snprintf(words, size, "float of %zu bits that is not IEEE 754", bits);
  else if (class == H5T_OPAQUE)
    snprintf(words, size, "opaque, of %zu bits", bits);
  else
    snprintf(words, size, "%s",
             class == H5T_STRING     ? "string"
             : class == H5T_COMPOUND ? "compound"
             : class == H5T_ARRAY    ? "array"
             : class == H5T_VLEN     ? "variable-length"
             : class == H5T_ENUM     ? "enumeration"
                                     : "other");
}

static sr_status check_type(subject *s) {
  sr_dataset_info *info = s->info;
  H5T_order_t order = H5Tget_order(s->type), native = H5Tget_order(H5T_NATIVE_FLOAT);
  char mark[32] = "";
  bool found = sr_h5_is_float(s->type, &info->dtype), is_uint16 = false;
  if (!found && s->gate->integers) found = sr_h5_is_integer(s->type, &info->dtype);
  if (!found) {
    is_uint16 = H5Tget_class(s->type) == H5T_INTEGER && H5Tget_size(s->type) == 2 && H5Tget_precision(s->type) == 16 &&
                H5Tget_offset(s->type) == 0 && H5Tget_sign(s->type) == H5T_SGN_NONE &&
                (order == H5T_ORDER_LE || order == H5T_ORDER_BE);
    found = is_uint16 && sr_h5_get_text(s->id, "dtype", mark, sizeof mark) && !strcmp(mark, "bfloat16");
    if (found) info->dtype = SR_BF16;
  }
  if (found)
    snprintf(info->type, sizeof info->type, "%s", sr_dtype_name(info->dtype));
  else
    describe_other_type(s->type, info->type, sizeof info->type);
  if (found && order != native)
    append(info->type, sizeof info->type, ", %s-endian", order == H5T_ORDER_BE ? "big" : "little");
  if (!found && is_uint16)
    return sr_fail(SR_ERR_INPUT, "%s: it is uint16 without the attribute dtype = \"bfloat16\"%s%s", s->where,
                   mark[0] ? ", but with dtype = " : "", mark);
  if (!found)
    return sr_fail(
        SR_ERR_INPUT,
        "%s: its element type is %s: float16, float32, float64 and bfloat16 (uint16 with the attribute dtype = "
        "\"bfloat16\") are read%s",
        s->where, info->type, s->gate->integers ? ", and of integers int8, uint8, int32 and int64" : "");
  return SR_OK;
}

/* Shape, and the product of it all, within 63 bits. */
static sr_status check_shape(subject *s) {
  sr_dataset_info *info = s->info;
  s->space = H5Dget_space(s->id);
  if (s->space < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: its shape cannot be read", s->where);
  if (H5Sget_simple_extent_type(s->space) == H5S_NULL) return sr_fail(SR_ERR_INPUT, "%s: it holds nothing", s->where);
  info->rank = H5Sget_simple_extent_dims(s->space, s->dims, NULL);
  if (info->rank < 0 || info->rank > H5S_MAX_RANK) {
    info->rank = 0;
    return sr_h5_fail(SR_ERR_INPUT, "%s: its shape cannot be read", s->where);
  }
  for (int i = 0; i < info->rank; i++)
    if (s->dims[i] > INT64_MAX) return sr_fail(SR_ERR_INPUT, "%s: dimension %d is over 2^63", s->where, i);
  for (int i = 0; i < info->rank && i < 4; i++) info->dims[i] = (int64_t)s->dims[i];
  for (int i = 0; i < info->rank; i++)
    if (s->dims[i] == 0) return sr_fail(SR_ERR_INPUT, "%s: dimension %d is 0: it holds nothing", s->where, i);
  s->bytes = H5Tget_size(s->type);
  for (int i = 0; i < info->rank; i++)
    if (!sr_mul(s->bytes, s->dims[i], &s->bytes) || s->bytes > INT64_MAX)
      return sr_fail(SR_ERR_INPUT, "%s: its %d dimensions multiply to more than 2^63 bytes", s->where, info->rank);
  return SR_OK;
}

static sr_status check_contiguous(subject *s) {
  haddr_t offset = H5Dget_offset(s->id);
  if (offset == HADDR_UNDEF) {
    char class[32]; /* a dimension scale may be there for its name alone */
    bool scale = sr_h5_get_text(s->id, "CLASS", class, sizeof class) && !strcmp(class, "DIMENSION_SCALE");
    if (scale) {
      snprintf(s->info->type, sizeof s->info->type, "dimension");
      s->info->storage[0] = '\0';
    } else {
      append(s->info->storage, sizeof s->info->storage, ", never written");
    }
    return sr_fail(SR_ERR_INPUT, "%s: it was never written", s->where);
  }
  if (s->info->file_bytes < s->bytes)
    return sr_fail(SR_ERR_INPUT, "%s: its shape takes %" PRIu64 " bytes and %" PRIu64 " are stored", s->where, s->bytes,
                   s->info->file_bytes);
  if (offset > s->gate->size || s->bytes > s->gate->size - offset)
    return sr_fail(SR_ERR_INPUT,
                   "%s: it ends past the end of the file (bytes %" PRIuHADDR " + %" PRIu64 " of %" PRIu64
                   "): the file is truncated",
                   s->where, offset, s->bytes, s->gate->size);
  if (H5Tget_order(s->type) == H5Tget_order(H5T_NATIVE_FLOAT)) s->info->offset = (int64_t)offset;
  return SR_OK;
}

/* Deflate shrinks 1032 times at most; one chunk is decoded as a whole by whoever reads an element of it. */
static sr_status check_chunked(subject *s) {
  enum { DEFLATE_AT_MOST = 1040, CHUNK_AT_MOST = 256 << 20 };
  uint64_t needed = 1, chunk_bytes = H5Tget_size(s->type), decoded;
  for (int i = 0; i < s->info->rank; i++) {
    if (!sr_mul(chunk_bytes, s->chunk[i], &chunk_bytes) || chunk_bytes > CHUNK_AT_MOST)
      return sr_fail(SR_ERR_INPUT, "%s: its chunks are larger than %d MiB", s->where, CHUNK_AT_MOST >> 20);
    needed *= s->dims[i] / s->chunk[i] + (s->dims[i] % s->chunk[i] != 0);
  }
  hsize_t written = 0;
  if (H5Dget_num_chunks(s->id, s->space, &written) < 0)
    return sr_h5_fail(SR_ERR_INPUT, "%s: the index of its chunks cannot be read", s->where);
  if (written != needed) {
    append(s->info->storage, sizeof s->info->storage, ", not all written");
    return sr_fail(SR_ERR_INPUT, "%s: %" PRIuHSIZE " of its %" PRIu64 " chunks were written", s->where, written,
                   needed);
  }
  uint64_t stored = s->info->file_bytes, ratio = s->filters & 1u << H5Z_FILTER_DEFLATE ? DEFLATE_AT_MOST : 1;
  if (stored > s->gate->size || !sr_mul(needed, chunk_bytes, &decoded) || decoded / ratio > stored)
    return sr_fail(SR_ERR_INPUT,
                   "%s: %" PRIu64 " chunks of %" PRIu64 " bytes cannot come out of %" PRIu64
                   " stored bytes of a file of %" PRIu64,
                   s->where, needed, chunk_bytes, stored, s->gate->size);
  return SR_OK;
}

static sr_status check_storage(subject *s) {
  if (s->layout == H5D_CONTIGUOUS) return check_contiguous(s);
  if (s->layout == H5D_CHUNKED) return check_chunked(s);
  if (s->info->file_bytes < s->bytes || s->bytes > s->gate->size)
    return sr_fail(SR_ERR_INPUT, "%s: its shape takes %" PRIu64 " bytes and %" PRIu64 " are stored", s->where, s->bytes,
                   s->info->file_bytes);
  return SR_OK;
}

/* Goes on after a refusal where it can, since listings want all words; the first refusal is the one that counts. */
static sr_status examine(subject *s) {
  SR_TRY(find(s));
  sr_status (*const check[])(subject *) = {check_layout, check_type, check_shape, check_storage};
  sr_status found[4] = {SR_OK}, first = SR_OK;
  char text[SR_ERROR_TEXT] = "";
  for (int i = 0; i < 4; i++) {
    if (i == 3 && (found[0] != SR_OK || found[2] != SR_OK)) break;
    found[i] = check[i](s);
    if (found[i] == SR_OK || first != SR_OK) continue;
    first = found[i];
    snprintf(text, sizeof text, "%s", sr_error_text());
  }
  return first == SR_OK ? SR_OK : sr_fail(first, "%s", text);
}

static void name_it(const sr_gate *gate, const char *name, char *where, size_t size) {
  bool root = !gate->group[strspn(gate->group, "/")];
  snprintf(where, size, "%s: dataset '%.200s%s%s'", gate->path, root ? "" : gate->group, root ? "" : "/", name);
}

sr_status sr_gate_dataset(const sr_gate *gate, const char *name, sr_dataset_info *info) {
  *info = (sr_dataset_info){.offset = -1};
  subject s = {.gate = gate, .info = info, .id = -1, .plist = -1, .type = -1, .space = -1};
  name_it(gate, name, s.where, sizeof s.where);
  snprintf(info->name, sizeof info->name, "%s", name);
  if (strlen(name) >= sizeof info->name) return sr_fail(SR_ERR_INPUT, "%s: its name is too long", s.where);
  sr_status status = examine(&s);
  info->readable = status == SR_OK;
  return status;
}

/* Bytes, and chunks, that are read as a whole, and bytes of a chunk of which two are read. */
enum { TRY_ALL = 64 << 20, TRY_CHUNKS = 4096, TRY_BOTH_ENDS = 32 << 20 };

/* Reads the block of count elements at start. */
static sr_status try_block(const char *where, hid_t id, const sr_dataset_info *info, const hsize_t *start,
                           const hsize_t *count) {
  uint64_t bytes = sr_dtype_size(info->dtype) * count[0] * count[1] * count[2];
  void *to = sr_alloc(bytes);
  if (!to) return sr_fail(SR_ERR_RESOURCE, "%s: no memory for %" PRIu64 " bytes of it", where, bytes);
  hid_t space = H5Dget_space(id), type = sr_h5_type(info->dtype);
  hid_t memory = H5Screate_simple(info->rank, count, NULL);
  bool good = space >= 0 && type >= 0 && memory >= 0 &&
              H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
              H5Dread(id, type, memory, space, H5P_DEFAULT, to) >= 0;
  sr_status status = good ? SR_OK : sr_h5_fail(SR_ERR_INPUT, "%s: it cannot be read", where);
  sr_free(to);
  return status;
}

sr_status sr_gate_try(const sr_gate *gate, const sr_dataset_info *info) {
  char where[SR_WHERE_TEXT];
  name_it(gate, info->name, where, sizeof where);
  hid_t id = H5Dopen2(gate->in, info->name, H5P_DEFAULT), plist = id < 0 ? id : H5Dget_create_plist(id);
  if (plist < 0) return sr_h5_fail(SR_ERR_INPUT, "%s: it cannot be opened", where);
  hsize_t dims[3] = {1, 1, 1}, block[3] = {1, 1, 1}, first[3] = {0}, last[3];
  uint64_t row = sr_dtype_size(info->dtype), chunk = row, chunks = 1;
  for (int i = 0; i < info->rank; i++) dims[i] = block[i] = (hsize_t)info->dims[i];
  if (H5Pget_layout(plist) != H5D_CHUNKED)
    block[0] = 1;
  else if (H5Pget_chunk(plist, info->rank, block) != info->rank)
    return sr_h5_fail(SR_ERR_INPUT, "%s: its chunks cannot be read", where);
  for (int i = 0; i < 3; i++) {
    row *= i > 0 ? dims[i] : 1;
    chunk *= block[i];
    last[i] = (dims[i] - 1) / block[i] * block[i];
    chunks *= H5Pget_layout(plist) == H5D_CHUNKED ? last[i] / block[i] + 1 : 1;
  }
  if (chunks <= TRY_CHUNKS && row <= TRY_ALL && dims[0] <= TRY_ALL / row)
    return try_block(where, id, info, first, dims);
  hsize_t head[3] = {1, block[1] < dims[1] ? block[1] : dims[1], block[2] < dims[2] ? block[2] : dims[2]};
  hsize_t tail[3] = {1, dims[1] - last[1], dims[2] - last[2]};
  SR_TRY(try_block(where, id, info, first, head));
  return chunk <= TRY_BOTH_ENDS ? try_block(where, id, info, last, tail) : SR_OK;
}
