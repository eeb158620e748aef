/* The command import: one rank works, whatever the job has. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "cleanup.h"
#include "commands.h"
#include "events.h"
#include "job/import.h"
#include "parallel.h"
#include "text.h"

static sr_status check(const sr_settings *s) {
  const char *usage = "usage: seqring import SRC -o MODEL.h5 [OPTION]...";
  if (!s->input[0]) return sr_fail(SR_ERR_ARGUMENT, "no model to import; %s", usage);
  if (!s->output[0]) return sr_fail(SR_ERR_ARGUMENT, "no output file; %s", usage);
  return SR_OK;
}

static void print(const sr_settings *s, const sr_import_job *job, const sr_import_report *report) {
  char size[SR_NUMBER_TEXT];
  printf("%s: %" PRId64 " weights of %" PRId64 " parameters in %s (%s), %" PRId64 " tokens\n", s->output,
         report->n_weights, report->parameters, sr_dtype_name(job->weights), sr_text_bytes((double)report->bytes, size),
         report->tokens);
}

/* One rank is enough. */
static sr_status run_job(void *data, MPI_Comm comm, int rank) {
  static const sr_dtype types[] = {[SR_WEIGHTS_F32] = SR_F32, [SR_WEIGHTS_BF16] = SR_BF16, [SR_WEIGHTS_I8] = SR_I8};
  const sr_settings *s = data;
  const sr_import_job job = {
      .source = s->input, .output = s->output, .weights = types[s->weights], .events = {.partial = sr_event_partial}};
  sr_import_report report;
  (void)comm;
  if (rank > 0) return SR_OK;
  SR_TRY(sr_import_run(MPI_COMM_SELF, &job, &report));
  if (!s->quiet) print(s, &job, &report);
  return SR_OK;
}

int sr_command_import(const sr_arguments *arguments, const sr_settings *settings) {
  sr_settings s = *settings;
  (void)arguments;
  sr_status status = check(settings);
  if (status != SR_OK) return sr_parallel_refuse(status);
  sr_cleanup_install();
  return sr_parallel_run(&(sr_parallel){.data = &s, .run = run_job, .shared = &s, .shared_size = sizeof s});
}
