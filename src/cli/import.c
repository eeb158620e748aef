/* The command import: one rank works, whatever the job has. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "cleanup.h"
#include "commands.h"
#include "exits.h"
#include "job/import.h"
#include "job/world.h"
#include "parallel.h"
#include "paths.h"
#include "text.h"

static sr_status check(const sr_settings *s) {
  const char *usage = "usage: seqring import SRC -o MODEL.h5 [OPTION]...";
  if (!s->input[0]) return sr_fail(SR_ERR_ARGUMENT, "no model to import; %s", usage);
  if (!s->output[0]) return sr_fail(SR_ERR_ARGUMENT, "no output file; %s", usage);
  return SR_OK;
}

static void on_partial(void *data, const char *path) {
  (void)data;
  sr_cleanup_set(SR_CLEANUP_OUTPUT, path);
}

static void print(const sr_settings *s, const sr_import_job *job, const sr_import_report *report) {
  char size[SR_NUMBER_TEXT];
  printf("%s: %" PRId64 " weights of %" PRId64 " parameters in %s (%s), %" PRId64 " tokens\n", s->output,
         report->n_weights, report->parameters, sr_dtype_name(job->weights), sr_text_bytes((double)report->bytes, size),
         report->tokens);
}

static sr_status run_under_mpi(const sr_settings *s, int *rank) {
  static const sr_dtype types[] = {[SR_WEIGHTS_F32] = SR_F32, [SR_WEIGHTS_BF16] = SR_BF16, [SR_WEIGHTS_I8] = SR_I8};
  const sr_import_job job = {
      .source = s->input, .output = s->output, .weights = types[s->weights], .partial = on_partial};
  sr_import_report report = {0};
  MPI_Comm comm;
  SR_TRY(sr_world_open(&comm, rank));
  sr_status mine = *rank == 0 ? sr_import_run(MPI_COMM_SELF, &job, &report) : SR_OK;
  sr_status status = sr_world_share(comm, mine, &report, sizeof report);
  if (status == SR_OK && *rank == 0 && !s->quiet) print(s, &job, &report);
  if (status != SR_ERR_MPI) sr_world_close(&comm);
  return status;
}

int sr_command_import(const sr_arguments *arguments, const sr_settings *settings) {
  int rank = 0;
  (void)arguments;
  sr_status status = check(settings);
  if (status != SR_OK) return sr_parallel_refuse(status);
  sr_cleanup_install();
  int code = sr_parallel_start();
  if (code) return code;
  status = run_under_mpi(settings, &rank);
  return sr_parallel_finish(rank, status);
}
