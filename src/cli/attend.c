/* The command attend: from the command line to the job and back. */
#include <inttypes.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cleanup.h"
#include "commands.h"
#include "config.h"
#include "events.h"
#include "job/attend.h"
#include "job/world.h"
#include "parallel.h"
#include "paths.h"
#include "progress.h"
#include "stats.h"
#include "summary.h"

/* What rank 0 found out for all, as plain bytes. */
typedef struct prepared {
  sr_settings settings;
  sr_input_info input;
} prepared;

typedef struct session {
  const sr_arguments *arguments;
  prepared what;
  sr_stats *stats; /* rank 0 */
  sr_progress progress;
} session;

static sr_status check_complete(const sr_settings *settings) {
  const char *usage = "usage: seqring attend IN.h5 -o OUT.h5 [OPTION]...";
  if (!settings->input[0]) return sr_fail(SR_ERR_ARGUMENT, "no input file; %s", usage);
  if (!settings->output[0] && !settings->dry_run) return sr_fail(SR_ERR_ARGUMENT, "no output file; %s", usage);
  return SR_OK;
}

/* Files that are written must not be files that are read, nor one another. */
static sr_status check_paths(const sr_settings *s) {
  SR_TRY(sr_check_differ("stats", s->stats, s->input, "input file"));
  SR_TRY(sr_check_differ("stats", s->stats, s->output, "output file"));
  SR_TRY(sr_check_differ("stats", s->stats, s->config, "configuration file"));
  SR_TRY(sr_check_differ("stats", s->stats, s->machine, "file of --machine"));
  SR_TRY(sr_check_differ("output", s->output, s->config, "configuration file"));
  return sr_check_differ("output", s->output, s->machine, "file of --machine");
}

/* Reads the configuration and looks at the input: on one process, before MPI_Init, since it forks. */
static sr_status prepare(void *data) {
  session *s = data;
  sr_settings *settings = &s->what.settings;
  SR_TRY(sr_config_settings(SR_FOR_ATTEND, s->arguments, settings));
  SR_TRY(check_complete(settings));
  SR_TRY(check_paths(settings));
  return sr_input_probe(settings->input, settings->group, &s->what.input);
}

static void on_start(void *data, const sr_plan_info *plan) {
  session *s = data;
  (void)plan;
  s->progress.shown = !s->what.settings.quiet && sr_progress_is_seen();
  sr_progress_start(&s->progress, s->what.input.q_len);
}

static void on_progress(void *data, int64_t done, int64_t total) {
  sr_progress_update(&((session *)data)->progress, done, total);
}

static void on_finish(void *data) {
  sr_progress_end(&((session *)data)->progress);
}

static sr_attend_job job_of(session *s) {
  const sr_settings *settings = &s->what.settings;
  return (sr_attend_job){
      .input = &s->what.input,
      .output = settings->output,
      .mask = {.causal = settings->causal,
               .window_left = settings->window[0],
               .window_right = settings->window[1],
               .sinks = settings->sinks,
               .q_start = settings->q_start},
      .scale = settings->scale,
      .products = (sr_products)settings->products,
      .strategy = settings->strategy,
      .balance = (sr_balance)settings->balance,
      .machine = settings->machine,
      .no_overlap = !settings->overlap,
      .piece_bytes = (uint64_t)settings->piece_bytes,
      .out_dtype_given = settings->out_dtype != SR_AUTOMATIC,
      .out_dtype = settings->out_dtype == SR_AUTOMATIC ? SR_F32 : (sr_dtype)settings->out_dtype,
      .refuse_nonfinite = settings->nan == SR_NAN_ERROR,
      .threads = (int)settings->threads,
      .verify = settings->verify,
      .verify_seed = (uint64_t)settings->verify_seed,
      .dry_run = settings->dry_run,
      .events = {.data = s,
                 .warning = sr_event_warning,
                 .partial = sr_event_partial,
                 .start = on_start,
                 .progress = on_progress,
                 .finish = on_finish},
  };
}

/* What rank 0 shows and writes. */
static sr_status show(session *s, const sr_attend_job *job, const sr_attend_report *report) {
  const sr_settings *settings = &s->what.settings;
  if (!settings->quiet) (job->dry_run ? sr_summary_print_plan : sr_summary_print)(job, report);
  return s->stats && !job->dry_run ? sr_stats_write(&s->stats, job, settings, report) : SR_OK;
}

/* The statistics are opened before anything is computed, but not before MPI_Init, which may end the process. */
static sr_status run_job(void *data, MPI_Comm comm, int rank) {
  session *s = data;
  const sr_settings *settings = &s->what.settings;
  if (settings->stats[0] && !settings->dry_run)
    SR_TRY(sr_world_agree(comm, rank == 0 ? sr_stats_open(settings->stats, &s->stats) : SR_OK));
  sr_attend_job job = job_of(s);
  sr_attend_report report;
  sr_status status = sr_attend_run(comm, &job, &report);
  if (status == SR_OK && rank == 0) status = show(s, &job, &report);
  sr_attend_report_free(&report);
  return status;
}

static void end(void *data) {
  sr_stats_abandon(&((session *)data)->stats);
}

int sr_command_attend(const sr_arguments *arguments, const sr_settings *given) {
  static session s;                                                    /* some 50 KB */
  sr_status status = given->config[0] ? SR_OK : check_complete(given); /* seen by every process alike */
  if (status != SR_OK) return sr_parallel_refuse(status);
  s.arguments = arguments;
  sr_cleanup_install();
  return sr_parallel_run(&(sr_parallel){
      .data = &s, .prepare = prepare, .run = run_job, .end = end, .shared = &s.what, .shared_size = sizeof s.what});
}
