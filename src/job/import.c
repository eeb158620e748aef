#include "import.h"

#include <jansson.h>
#include <libgen.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/convert.h"
#include "base/error.h"
#include "json.h"
#include "model/import.h"
#include "model/model_names.h"
#include "result.h"

/* Floats that are read at a time. */
enum { PIECE = 1 << 20 };

/* A dataset of the model file, and where its elements come from. */
typedef struct part {
  char name[80];
  int64_t weight; /* or -1: a table of the tokenizer */
  bool is_scale;  /* of the weight's rows */
  const void *table;
} part;

typedef struct run {
  const sr_import_job *job;
  sr_import import;
  int n; /* datasets */
  sr_output_dataset *dataset;
  part *part;
  sr_output *output;
} run;

static void add(run *r, const char *name, const char *long_name, sr_dtype dtype, int64_t rows, int64_t columns,
                part from) {
  part *p = &r->part[r->n];
  *p = from;
  snprintf(p->name, sizeof p->name, "%s", name);
  r->dataset[r->n] = (sr_output_dataset){.name = p->name,
                                         .long_name = long_name,
                                         .units = "1",
                                         .dtype = dtype,
                                         .rank = columns > 0 ? 2 : 1,
                                         .dims = {rows, columns}};
  r->n++;
}

static void add_weight(run *r, int64_t i) {
  const sr_weight_shape *w = &r->import.weight[i];
  char scale[sizeof r->part->name];
  const part from = {.weight = i};
  if (!w->is_matrix) {
    add(r, w->name, "weight", SR_F32, w->columns, 0, from);
    return;
  }
  add(r, w->name, "weight", r->job->weights, w->rows, w->columns, from);
  if (r->job->weights != SR_I8) return;
  snprintf(scale, sizeof scale, "%s" SR_MODEL_SCALE, w->name);
  add(r, scale, "what a row's integers are multiplied by", SR_F32, w->rows, 0, (part){.weight = i, .is_scale = true});
}

static void add_tokenizer(run *r, const char *tokenizer, const sr_vocabulary *v) {
  char name[64];
  const struct {
    const char *name, *long_name;
    sr_dtype dtype;
    int64_t rows, columns;
    const void *table;
  } tables[] = {
      {SR_MODEL_TOKEN_BYTES, "bytes of all tokens", SR_U8, v->start[v->n], 0, v->bytes},
      {SR_MODEL_TOKEN_STARTS, "where each token's bytes begin", SR_I64, v->n + 1, 0, v->start},
      {SR_MODEL_TOKEN_KINDS, "0 normal, 1 control", SR_U8, v->n, 0, v->token},
      {SR_MODEL_MERGES, "pairs of tokens that become one, the first ones first", SR_I32, v->n_merges, 2, v->merge},
  };
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    snprintf(name, sizeof name, "%s%s", tokenizer, tables[i].name);
    if (tables[i].rows > 0)
      add(r, name, tables[i].long_name, tables[i].dtype, tables[i].rows, tables[i].columns,
          (part){.weight = -1, .table = tables[i].table});
  }
}

static sr_status list_datasets(run *r) {
  const size_t most = 2 * (size_t)r->import.n_weights + 16;
  r->dataset = calloc(most, sizeof *r->dataset);
  r->part = calloc(most, sizeof *r->part);
  if (!r->dataset || !r->part) return sr_fail(SR_ERR_RESOURCE, "%s: no memory to import it", r->job->source);
  for (int64_t i = 0; i < r->import.n_weights; i++) add_weight(r, i);
  add_tokenizer(r, SR_MODEL_TOKENIZER, &r->import.vocabulary);
  if (r->import.source_vocabulary.n > 0) add_tokenizer(r, SR_MODEL_SOURCE_TOKENIZER, &r->import.source_vocabulary);
  return SR_OK;
}

/* Integers from -127 to 127 that a row's scale makes its elements again; NaN where one of them is not finite, which
 * makes the whole row NaN. */
static float scale_of(const float *row, int64_t columns) {
  float most = 0;
  bool finite = true;
  for (int64_t c = 0; c < columns; c++) most = fmaxf(most, fabsf(row[c])), finite &= isfinite(row[c]) != 0;
  return finite ? most / 127 : NAN;
}

static void scales(const float *from, int64_t rows, int64_t columns, float *to) {
  for (int64_t r = 0; r < rows; r++) to[r] = scale_of(from + r * columns, columns);
}

static void integers(const float *from, int64_t rows, int64_t columns, int8_t *to) {
  for (int64_t r = 0; r < rows; r++) {
    const float *row = from + r * columns, scale = scale_of(row, columns);
    for (int64_t c = 0; c < columns; c++) to[r * columns + c] = scale > 0 ? (int8_t)lrintf(row[c] / scale) : 0;
  }
}

/* Rows of a weight as a dataset has them. */
static void convert(sr_dtype dtype, bool is_scale, const float *from, int64_t rows, int64_t columns, void *to) {
  if (is_scale)
    scales(from, rows, columns, to);
  else if (dtype == SR_BF16)
    sr_to_bf16(SR_F32, from, rows * columns, to);
  else if (dtype == SR_I8)
    integers(from, rows, columns, to);
  else
    memcpy(to, from, (size_t)(rows * columns) * sizeof(float));
}

/* Room for rows as they come, and as they go. */
typedef struct buffers {
  float *from;
  void *to;
} buffers;

static sr_status write_rows(run *r, int n, int64_t first, int64_t count, const buffers *room) {
  const part *p = &r->part[n];
  const sr_weight_shape *w = &r->import.weight[p->weight];
  SR_TRY(sr_import_rows(&r->import, p->weight, first, count, room->from));
  convert(r->dataset[n].dtype, p->is_scale, room->from, count, w->columns, room->to);
  const sr_span span = w->is_matrix ? (sr_span){first, count} : (sr_span){0, w->columns};
  return sr_output_write(r->output, n, &(sr_rows){span.count, 1, &span}, room->to);
}

static sr_status write_weight(run *r, int n) {
  const sr_weight_shape *w = &r->import.weight[r->part[n].weight];
  const int64_t rows = w->columns < PIECE ? PIECE / w->columns : 1;
  const size_t bytes = (size_t)(rows * w->columns) * sizeof(float);
  const buffers room = {malloc(bytes), malloc(bytes)};
  sr_status status = room.from && room.to ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory for weights");
  for (int64_t first = 0; first < w->rows && status == SR_OK; first += rows)
    status = write_rows(r, n, first, w->rows - first < rows ? w->rows - first : rows, &room);
  free(room.from);
  free(room.to);
  return status;
}

static sr_status write_table(run *r, int n) {
  const sr_span all = {0, r->dataset[n].dims[0]};
  return sr_output_write(r->output, n, &(sr_rows){all.count, 1, &all}, r->part[n].table);
}

static sr_status write_all(run *r) {
  for (int i = 0; i < r->n; i++) SR_TRY(r->part[i].weight < 0 ? write_table(r, i) : write_weight(r, i));
  return SR_OK;
}

/* The description and the tokenizer's settings as one JSON text, which the caller frees. */
static char *describe(const run *r) {
  json_t *json = json_object();
  const sr_vocabulary *source = &r->import.source_vocabulary;
  bool good = json && json_object_set_new(json, "description", sr_description_to_json(&r->import.description)) == 0 &&
              json_object_set_new(json, SR_MODEL_TOKENIZER, sr_vocabulary_to_json(&r->import.vocabulary)) == 0;
  if (source->n > 0)
    good = good && json_object_set_new(json, SR_MODEL_SOURCE_TOKENIZER, sr_vocabulary_to_json(source)) == 0;
  char *text = good ? json_dumps(json, JSON_COMPACT) : NULL;
  json_decref(json);
  return text;
}

static char *provenance(const run *r) {
  char *source = strdup(r->job->source), *name = source ? basename(source) : NULL;
  json_t *json = name ? json_pack("{sssosssi}", "command", "import", "source", sr_json_text(name), "weights",
                                  sr_dtype_name(r->job->weights), "weights_read", (int)r->import.n_weights)
                      : NULL;
  char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
  json_decref(json);
  free(source);
  return text;
}

static sr_status create(run *r, MPI_Comm comm, const char *model) {
  const char *license = r->import.license ? r->import.license : "not told by the source";
  const sr_output_text texts[] = {{SR_MODEL_FORMAT, SR_MODEL_VERSION}, {SR_MODEL_TEXT, model}, {"license", license}};
  const sr_output_spec spec = {.path = r->job->output,
                               .input = r->job->source,
                               .n_datasets = r->n,
                               .dataset = r->dataset,
                               .n_texts = sizeof texts / sizeof *texts,
                               .text = texts};
  return sr_result_create(comm, spec, &r->job->events, &r->output);
}

static sr_status write_model(run *r, MPI_Comm comm) {
  char *model = describe(r), *from = provenance(r);
  sr_status status = model && from ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory to describe a model");
  if (status == SR_OK) status = create(r, comm, model);
  if (r->output) {
    status = write_all(r);
    status = sr_result_commit(&r->output, status, from, &r->job->events);
  }
  free(model);
  free(from);
  return status;
}

static void report_on(const run *r, sr_import_report *report) {
  *report = (sr_import_report){.n_weights = r->import.n_weights, .tokens = r->import.vocabulary.n};
  for (int64_t i = 0; i < r->import.n_weights; i++)
    report->parameters += r->import.weight[i].rows * r->import.weight[i].columns;
  for (int i = 0; i < r->n; i++)
    if (r->part[i].weight >= 0)
      report->bytes += (uint64_t)r->dataset[i].dims[0] *
                       (uint64_t)(r->dataset[i].rank > 1 ? r->dataset[i].dims[1] : 1) *
                       sr_dtype_size(r->dataset[i].dtype);
}

sr_status sr_import_run(MPI_Comm comm, const sr_import_job *job, sr_import_report *report) {
  run r = {.job = job};
  sr_status status = sr_import_open(job->source, &r.import);
  if (status == SR_OK && sr_import_reads(job->source, job->output))
    status = sr_fail(SR_ERR_OUTPUT, "%s: the output is the input", job->output);
  if (status == SR_OK) status = list_datasets(&r);
  if (status == SR_OK) status = write_model(&r, comm);
  if (status == SR_OK) report_on(&r, report);
  free(r.dataset);
  free(r.part);
  sr_import_close(&r.import);
  return status;
}
