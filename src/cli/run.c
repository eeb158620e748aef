/* The command run: a text through a model. */
#include <inttypes.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cleanup.h"
#include "commands.h"
#include "events.h"
#include "job/run.h"
#include "lines.h"
#include "parallel.h"
#include "paths.h"

/* What rank 0 gives to all, as plain bytes. */
typedef struct prepared {
  sr_settings settings;
  int outputs; /* of sr_run_outputs */
} prepared;

typedef struct session {
  prepared what;
  sr_saved saved; /* open on rank 0 */
} session;

static sr_status check(const sr_settings *s) {
  const char *usage = "usage: seqring run --model MODEL.h5 --text FILE -o OUT.h5 [OPTION]...";
  if (!s->model[0]) return sr_fail(SR_ERR_ARGUMENT, "no model file; %s", usage);
  if (!s->input[0]) return sr_fail(SR_ERR_ARGUMENT, "no text; %s", usage);
  if (!s->output[0]) return sr_fail(SR_ERR_ARGUMENT, "no output file; %s", usage);
  if (sr_same_file(s->output, s->input)) return sr_fail(SR_ERR_ARGUMENT, "--output: '%s' is the text", s->output);
  return SR_OK;
}

/* "tokens,logprob" as bits; 0 for "auto". */
static sr_status read_outputs(const char *list, int *outputs) {
  static const struct {
    const char *name;
    int bit;
  } all[] = {
      {"tokens", SR_RUN_TOKENS}, {"offsets", SR_RUN_OFFSETS}, {"logprob", SR_RUN_LOGPROB}, {"hidden", SR_RUN_HIDDEN}};
  char words[SR_LIST_MAX], *rest = NULL;
  *outputs = 0;
  if (!strcmp(list, "auto")) return SR_OK;
  snprintf(words, sizeof words, "%s", list);
  for (char *word = strtok_r(words, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
    const int before = *outputs;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
      if (!strcmp(word, all[i].name)) *outputs |= all[i].bit;
    if (*outputs == before)
      return sr_fail(SR_ERR_ARGUMENT,
                     "--outputs: '%.60s' is none, or there twice: tokens, offsets, logprob and hidden are possible",
                     word);
  }
  return *outputs ? SR_OK : sr_fail(SR_ERR_ARGUMENT, "--outputs: the list is empty");
}

static void print(const sr_settings *s, const sr_run_report *r) {
  char text[SR_NUMBER_TEXT];
  sr_line_name("model", s->model);
  printf(", weights %s a node\n", sr_text_bytes((double)r->weight_bytes, text));
  sr_line_name("text", s->input);
  printf(", %" PRId64 " tokens\n", r->tokens);
  sr_line_label("ranks");
  printf("%d x %d thread%s\n", r->ranks, r->threads, r->threads == 1 ? "" : "s");
  sr_line_spreads();
  sr_line_spread("load", &r->load, sr_text_seconds);
  sr_line_spread("layers", &r->forward, sr_text_seconds);
  if (r->outputs & SR_RUN_LOGPROB) sr_line_spread("predictions", &r->head, sr_text_seconds);
  sr_line_spread("write", &r->write, sr_text_seconds);
  sr_line_spread("activations", &r->rank_bytes, sr_text_bytes);
  sr_line_spread("peak memory", &r->peak, sr_text_bytes);
  putchar('\n');
  sr_line_label("speed");
  printf("%.4g tokens/s in layers and predictions\n", (double)r->tokens / (r->forward.max + r->head.max));
  sr_line_label("wall time");
  printf("%s\n", sr_text_seconds(r->wall_s, text));
  sr_line_name("output", s->output);
  putchar('\n');
}

/* Looks at the model. */
static sr_status prepare(void *data) {
  session *s = data;
  return sr_saved_open(s->what.settings.model, &s->saved);
}

static sr_status run_job(void *data, MPI_Comm comm, int rank) {
  session *s = data;
  const sr_settings *settings = &s->what.settings;
  const sr_run_job job = {.model = settings->model,
                          .text = settings->input,
                          .output = settings->output,
                          .limit = settings->limit,
                          .outputs = s->what.outputs,
                          .threads = (int)settings->threads,
                          .events = {.warning = sr_event_warning, .partial = sr_event_partial}};
  sr_run_report report;
  SR_TRY(sr_run_text(comm, &job, &s->saved, &report));
  if (rank == 0 && !settings->quiet) print(settings, &report);
  return SR_OK;
}

static void end(void *data) {
  sr_saved_close(&((session *)data)->saved);
}

int sr_command_run(const sr_arguments *arguments, const sr_settings *given) {
  static session s;
  (void)arguments;
  s.what.settings = *given;
  s.saved.file.fd = -1;
  sr_status status = check(given);
  if (status == SR_OK) status = read_outputs(given->outputs, &s.what.outputs);
  if (status != SR_OK) return sr_parallel_refuse(status);
  sr_cleanup_install();
  return sr_parallel_run(&(sr_parallel){
      .data = &s, .prepare = prepare, .run = run_job, .end = end, .shared = &s.what, .shared_size = sizeof s.what});
}
