/* The command bench: from the lists of the command line to lines of figures. */
#include "bench/bench.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "bench_output.h"
#include "commands.h"
#include "events.h"
#include "job/world.h"
#include "parallel.h"

typedef struct session {
  sr_sweep sweep;
  sr_bench_method method;
  const sr_bench_format *format;
  int rank;
  int64_t wrong; /* lines */
} session;

static sr_status understand(const sr_settings *settings, session *s) {
  if (settings->bench_topic == SR_BENCH_NOTHING)
    return sr_fail(SR_ERR_ARGUMENT, "nothing to measure; usage: seqring bench attention [OPTION]...");
  if (settings->json && settings->csv) return sr_fail(SR_ERR_ARGUMENT, "--json and --csv exclude one another");
  for (int axis = 0; axis < SR_N_AXES; axis++)
    SR_TRY(sr_list_parse((sr_axis)axis, settings->sweep[axis], &s->sweep.axis[axis]));
  s->method = (sr_bench_method){.repeat = (int)settings->repeat,
                                .warmup = (int)settings->warmup,
                                .verify = settings->bench_verify,
                                .seed = (uint64_t)settings->bench_seed};
  s->format = settings->json ? &sr_bench_json : settings->csv ? &sr_bench_csv : &sr_bench_table;
  return SR_OK;
}

static bool has_decode(const sr_sweep *sweep) {
  const sr_list *queries = &sweep->axis[SR_AXIS_QUERIES], *seq = &sweep->axis[SR_AXIS_SEQ];
  for (int i = 0; i < queries->n; i++)
    for (int j = 0; j < seq->n; j++)
      if (sr_sweep_q_len(queries->item[i], seq->item[j]) <= SR_DECODE_QUERIES) return true;
  return false;
}

/* Measures all lines, on all ranks; rank 0 shows them. */
static sr_status measure_lines(session *s, MPI_Comm comm, sr_bench *bench, sr_bench_output *output) {
  for (int64_t i = 0; i < sr_sweep_cases(&s->sweep); i++) {
    const sr_case what = sr_sweep_case(&s->sweep, i);
    sr_bench_line line;
    SR_TRY(sr_bench_run(bench, &what, &line));
    s->wrong += line.is_wrong;
    SR_TRY(sr_world_agree(comm, s->rank == 0 ? s->format->line(output, &line) : SR_OK));
  }
  if (s->wrong == 0) return SR_OK;
  return sr_fail(SR_ERR_WRONG, "%" PRId64 " of %" PRId64 " results are further from float64 than rounding explains",
                 s->wrong, sr_sweep_cases(&s->sweep));
}

static sr_status check_cases(const session *s, MPI_Comm comm) {
  for (int64_t i = 0; i < sr_sweep_cases(&s->sweep); i++) {
    const sr_case what = sr_sweep_case(&s->sweep, i);
    SR_TRY(sr_bench_check(comm, &what));
  }
  return SR_OK;
}

static sr_status show_lines(session *s, MPI_Comm comm, sr_bench *bench, const sr_machine *machine) {
  sr_bench_output output = {.machine = machine, .method = &s->method, .any_decode = has_decode(&s->sweep)};
  SR_TRY(sr_world_agree(comm, s->rank == 0 ? s->format->begin(&output) : SR_OK));
  sr_status status = measure_lines(s, comm, bench, &output);
  return s->rank == 0 ? s->format->end(&output, status) : status;
}

static sr_status run_bench(void *data, MPI_Comm comm, int rank) {
  session *s = data;
  sr_machine machine;
  sr_bench *bench;
  const sr_job_events events = {.warning = sr_event_warning};
  s->rank = rank;
  SR_TRY(sr_world_agree(comm, sr_machine_describe(comm, &machine)));
  SR_TRY(sr_bench_place(comm, &s->sweep.axis[SR_AXIS_THREADS], &events));
  SR_TRY(check_cases(s, comm));
  SR_TRY(sr_world_agree(comm, sr_bench_open(comm, &s->method, &bench)));
  sr_status status = show_lines(s, comm, bench, &machine);
  if (status != SR_ERR_MPI) sr_bench_close(&bench);
  return status;
}

int sr_command_bench(const sr_arguments *arguments, const sr_settings *settings) {
  (void)arguments;
  static session s; /* some 7 KB */
  sr_status status = understand(settings, &s);
  if (status != SR_OK) return sr_parallel_refuse(status);
  return sr_parallel_run(&(sr_parallel){.data = &s, .run = run_bench});
}
