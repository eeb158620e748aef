#include "provenance.h"

#include <mpi.h>
#include <seqring/version.h>
#include <string.h>

#include "io/hdf5_version.h"
#include "json.h"

#ifdef __clang__
#define COMPILER "Clang " __clang_version__
#else
#define COMPILER "GCC " __VERSION__
#endif

/* "Open MPI v4.1.4" of "Open MPI v4.1.4, package: ...". */
static json_t *mpi_version(void) {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) return sr_json_text("unknown");
  text[strcspn(text, ",\n")] = '\0';
  return sr_json_text(text);
}

json_t *sr_versions_json(void) {
  char hdf5[SR_HDF5_VERSION_TEXT];
  sr_io_hdf5_version(hdf5);
  return json_pack("{s:s, s:s, s:o, s:s}", "seqring", sr_version(), "hdf5", hdf5, "mpi", mpi_version(), "compiler",
                   COMPILER);
}

json_t *sr_options_json(const sr_attend_job *job, const sr_attend_report *report) {
  const int64_t window[2] = {job->mask.window_left, job->mask.window_right};
  return json_pack("{s:b, s:o, s:I, s:I, s:I, s:f, s:s, s:s, s:s}", "causal", (int)job->mask.causal, "window",
                   sr_json_dims(window, 2), "sinks", (json_int_t)job->mask.sinks, "documents",
                   (json_int_t)job->input->n_documents, "q_start", (json_int_t)report->plan.q_start, "scale",
                   report->plan.scale, "out_dtype", sr_dtype_name(report->out_dtype), "lse_dtype",
                   sr_dtype_name(report->plan.lse_dtype), "nan", job->refuse_nonfinite ? "error" : "propagate");
}

static json_t *input_json(const sr_input_info *input) {
  const int64_t q[3] = {input->q_len, input->q_heads, input->head_dim};
  const int64_t k[3] = {input->kv_len, input->kv_heads, input->head_dim};
  const int64_t v[3] = {input->kv_len, input->kv_heads, input->value_dim};
  return json_pack("{s:o, s:o, s:I, s:s, s:o, s:o, s:o}", "path", sr_json_text(input->path), "group",
                   sr_json_text(input->group[0] ? input->group : "/"), "bytes", (json_int_t)input->size, "dtype",
                   sr_dtype_name(input->dtype), "q", sr_json_dims(q, 3), "k", sr_json_dims(k, 3), "v",
                   sr_json_dims(v, 3));
}

/* Nothing that has no influence on the bits of o and lse, so that runs on other numbers of ranks write the same file.
 */
char *sr_provenance(const sr_attend_job *job, const sr_attend_report *report) {
  json_t *json = json_pack("{s:s, s:o, s:o, s:o, s:s, s:s}", "program", "seqring attend", "versions",
                           sr_versions_json(), "input", input_json(job->input), "options", sr_options_json(job, report),
                           "isa", report->plan.isa, "compute", sr_dtype_name(report->plan.compute));
  char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
  json_decref(json);
  return text;
}
