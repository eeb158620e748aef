#include "import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/path.h"
#include "tokenizer.h"

/* "decoder.12.query.weight" in parts. */
typedef struct name_parts {
  long layer; /* -1: outside the layers */
  char part[64];
  const char *kind; /* ".weight" or ".bias" */
} name_parts;

static name_parts parts_of(const char *name) {
  name_parts p = {.layer = -1};
  const char *at = strchr(name, '.') + 1;
  char *end;
  const long layer = strtol(at, &end, 10);
  if (end > at) p.layer = layer, at = end + 1;
  p.kind = strrchr(at, '.');
  snprintf(p.part, sizeof p.part, "%.*s", (int)(p.kind - at), at);
  return p;
}

/* The foreign name of a weight; false when the family has none. */
static bool foreign_name(const sr_naming *naming, const char *name, char *foreign, size_t size) {
  const name_parts p = parts_of(name);
  if (!naming) return snprintf(foreign, size, "%s", name) > 0;
  for (; naming->part; naming++) {
    if (strcmp(naming->part, p.part)) continue;
    const char *mark = strstr(naming->foreign, "%d");
    if (mark)
      snprintf(foreign, size, "%.*s%ld%s%s", (int)(mark - naming->foreign), naming->foreign, p.layer, mark + 2, p.kind);
    else
      snprintf(foreign, size, "%s%s", naming->foreign, p.kind);
    return true;
  }
  return false;
}

static bool has_shape(const sr_source_tensor *tensor, const sr_weight_shape *w) {
  if (tensor->rank == 1) return w->rows == 1 && tensor->dims[0] == w->columns;
  return tensor->rank == 2 && tensor->dims[0] == w->rows && tensor->dims[1] == w->columns;
}

static sr_status find_weight(sr_import *import, int64_t i) {
  const char *path = import->source.path;
  const sr_weight_shape *w = &import->weight[i];
  char foreign[256];
  if (import->rotary_factors && strstr(w->name, ".rotary_factors.")) return SR_OK;
  if (!foreign_name(import->naming, w->name, foreign, sizeof foreign))
    return sr_fail(SR_ERR_INPUT, "%s: models of its kind have no '%s'", path, w->name);
  sr_source_tensor *tensor = sr_source_find(&import->source, foreign);
  if (!tensor) return sr_fail(SR_ERR_INPUT, "%s: tensor '%s' is missing", path, foreign);
  if (tensor->used) return sr_fail(SR_ERR_INPUT, "%s: tensor '%s' is there twice", path, foreign);
  if (!has_shape(tensor, w))
    return sr_fail(SR_ERR_INPUT,
                   "%s: tensor '%s' has %d dimensions, the last of %" PRId64 ", and must be %" PRId64 " x %" PRId64,
                   path, foreign, tensor->rank, tensor->dims[tensor->rank - 1], w->rows, w->columns);
  tensor->used = true;
  import->tensor[i] = tensor;
  return SR_OK;
}

static bool is_left_out(const sr_import *import, const char *name) {
  const size_t length = strlen(name);
  for (const char *const *left_out = import->left_out; left_out && *left_out; left_out++) {
    const size_t end = **left_out == '.' ? strlen(*left_out) : length;
    if (length >= end && !strcmp(name + length - end, *left_out)) return true;
  }
  return false;
}

static sr_status find_weights(sr_import *import) {
  SR_TRY(sr_description_check(import->source.path, &import->description));
  SR_TRY(sr_description_weights(&import->description, &import->weight, &import->n_weights));
  import->tensor = calloc((size_t)import->n_weights, sizeof *import->tensor);
  if (!import->tensor) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to import it", import->source.path);
  for (int64_t i = 0; i < import->n_weights; i++) SR_TRY(find_weight(import, i));
  for (int64_t i = 0; i < import->source.n_tensors; i++)
    if (!import->source.tensor[i].used && !is_left_out(import, import->source.tensor[i].name))
      return sr_fail(SR_ERR_INPUT, "%s: tensor '%s' has no place in a model of its kind, or is there twice",
                     import->source.path, import->source.tensor[i].name);
  return sr_description_check_tokens(import->source.path, &import->description, import->vocabulary.n,
                                     import->source_vocabulary.n);
}

static sr_status open_file(const char *path, FILE **file, uint64_t *size) {
  struct stat about;
  *file = fopen(path, "rbe");
  if (!*file) return sr_fail(SR_ERR_INPUT, "%s: it cannot be opened: %s", path, strerror(errno));
  if (fstat(fileno(*file), &about) == 0 && S_ISREG(about.st_mode)) {
    *size = (uint64_t)about.st_size;
    return SR_OK;
  }
  fclose(*file);
  *file = NULL;
  return sr_fail(SR_ERR_INPUT, "%s: it is not a regular file", path);
}

/* A tokenizer that cannot be made is a fault of the source, and not one of the model file. */
static sr_status check_vocabulary(const sr_import *import, const sr_vocabulary *vocabulary) {
  sr_tokenizer *tokenizer;
  SR_TRY(sr_vocabulary_check(import->source.path, vocabulary));
  sr_status status = sr_tokenizer_create(import->source.path, vocabulary, &tokenizer);
  sr_tokenizer_destroy(&tokenizer);
  return status;
}

static sr_status read_gguf(const char *path, sr_import *import) {
  FILE *file;
  uint64_t size;
  SR_TRY(open_file(path, &file, &size));
  SR_TRY(sr_source_read_gguf(path, file, size, &import->source));
  return sr_import_gguf(import);
}

/* Where a tokenizer has no longest text this says so by an integer of 100 bits; no integer of its is needed. */
static const char settings[] = "tokenizer_config.json";

/* Adds a file of a folder to the metadata, if it is there, by its name. */
static sr_status add_json(const char *folder, const char *name, json_t *metadata) {
  const size_t flags = strcmp(name, settings) ? 0 : JSON_DECODE_INT_AS_REAL;
  char path[4096];
  json_error_t error;
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
    return sr_fail(SR_ERR_INPUT, "%.400s: the path is too long", folder);
  if (access(path, F_OK)) return SR_OK;
  json_t *json = json_load_file(path, flags, &error);
  if (json && json_object_set_new(metadata, name, json) == 0) return SR_OK;
  return sr_fail(SR_ERR_INPUT, "%s: line %d: %s", path, error.line, error.text);
}

/* A list of tokens is longer than this in no model. */
enum { LONGEST_LIST = 64 << 20 };

/* Adds a file of text likewise, as a string. */
static sr_status add_text(const char *folder, const char *name, json_t *metadata) {
  char path[4096];
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
    return sr_fail(SR_ERR_INPUT, "%.400s: the path is too long", folder);
  FILE *file = fopen(path, "rbe");
  if (!file) return SR_OK;
  char *text = malloc(LONGEST_LIST);
  const size_t n = text ? fread(text, 1, LONGEST_LIST, file) : 0;
  const bool good = text && !ferror(file) && n < LONGEST_LIST;
  fclose(file);
  const bool added = good && json_object_set_new(metadata, name, json_stringn(text, n)) == 0;
  free(text);
  return added ? SR_OK : sr_fail(SR_ERR_INPUT, "%s: it cannot be read, is too long, or is no UTF-8", path);
}

/* What is read of a folder: the last two are no JSON. */
static const char *const names[] = {"config.json",  "generation_config.json", "tokenizer.json", settings,
                                    "modules.json", "1_Pooling/config.json",  "vocab.txt",      "model.safetensors"};
enum { NAMES = sizeof names / sizeof *names, JSON_NAMES = NAMES - 2 };

/* Large models come in several files, and a list of these. */
static sr_status check_shards(const char *folder, const char *tensors) {
  char list[4096];
  if (snprintf(list, sizeof list, "%s.index.json", tensors) >= (int)sizeof list || access(list, F_OK) ||
      !access(tensors, F_OK))
    return SR_OK;
  return sr_fail(SR_ERR_INPUT, "%.400s: its tensors are in several files, which is not read: merge them into one",
                 folder);
}

static sr_status read_folder(const char *path, sr_import *import) {
  FILE *file;
  uint64_t size;
  if (asprintf(&import->tensors, "%s/model.safetensors", path) < 0) {
    import->tensors = NULL;
    return sr_fail(SR_ERR_RESOURCE, "%s: no memory to import it", path);
  }
  SR_TRY(check_shards(path, import->tensors));
  SR_TRY(open_file(import->tensors, &file, &size));
  SR_TRY(sr_source_read_safetensors(import->tensors, file, size, &import->source));
  import->source.metadata = json_object();
  for (int i = 0; i < JSON_NAMES; i++) SR_TRY(add_json(path, names[i], import->source.metadata));
  SR_TRY(add_text(path, "vocab.txt", import->source.metadata));
  return sr_import_folder(import);
}

bool sr_import_reads(const char *path, const char *file) {
  char part[4096];
  for (int i = 0; i < NAMES; i++)
    if (snprintf(part, sizeof part, "%s/%s", path, names[i]) < (int)sizeof part && sr_same_existing(file, part))
      return true;
  return false;
}

sr_status sr_import_open(const char *path, sr_import *import) {
  struct stat about;
  *import = (sr_import){0};
  const bool is_folder = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
  SR_TRY((is_folder ? read_folder : read_gguf)(path, import));
  SR_TRY(check_vocabulary(import, &import->vocabulary));
  if (import->source_vocabulary.n > 0) SR_TRY(check_vocabulary(import, &import->source_vocabulary));
  return find_weights(import);
}

void sr_import_close(sr_import *import) {
  free(import->weight);
  free(import->tensor);
  free(import->tensors);
  free(import->rotary_factors);
  sr_vocabulary_free(&import->vocabulary);
  sr_vocabulary_free(&import->source_vocabulary);
  sr_source_free(&import->source);
  *import = (sr_import){0};
}

sr_status sr_import_rows(const sr_import *import, int64_t weight, int64_t first, int64_t count, float *to) {
  if (import->tensor[weight]) return sr_source_rows(&import->source, import->tensor[weight], first, count, to);
  memcpy(to, import->rotary_factors, (size_t)import->weight[weight].columns * sizeof *to);
  return SR_OK;
}
