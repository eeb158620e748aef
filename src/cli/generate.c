/* The command generate: a model goes on after a text. */
#include <inttypes.h>
#include <mpi.h>
#include <stdio.h>

#include "base/error.h"
#include "cleanup.h"
#include "commands.h"
#include "config.h"
#include "events.h"
#include "job/generate.h"
#include "parallel.h"
#include "text.h"

typedef struct session {
  const sr_arguments *arguments;
  sr_settings settings; /* rank 0 gives them to all, as plain bytes */
  sr_saved saved;       /* open on rank 0 */
  int64_t printed;      /* tokens */
} session;

static sr_status check(const sr_settings *s) {
  const char *usage = "usage: seqring generate --model MODEL.h5 --text FILE [OPTION]...";
  if (!s->model[0]) return sr_fail(SR_ERR_ARGUMENT, "no model file; %s", usage);
  if (!s->texts[0] && !s->source[0]) return sr_fail(SR_ERR_ARGUMENT, "no text; %s", usage);
  if (s->temperature < 0) return sr_fail(SR_ERR_ARGUMENT, "--temperature: must be 0 or more, not %g", s->temperature);
  if (s->top_p <= 0 || s->top_p > 1)
    return sr_fail(SR_ERR_ARGUMENT, "--top-p: must be above 0 and up to 1, not %g", s->top_p);
  return SR_OK;
}

/* An sr_token_fn: what is made appears at once, while there is somebody to read it. */
static bool print_token(void *data, int32_t token, const uint8_t *bytes, int64_t n) {
  session *s = data;
  const bool words = s->settings.ids || s->saved.vocabulary.kind == SR_VOCABULARY_WORDS;
  if (words && s->printed > 0) putchar(' ');
  if (s->settings.ids)
    printf("%" PRId32, token);
  else
    fwrite(bytes, 1, (size_t)n, stdout);
  s->printed++;
  return !fflush(stdout) && !ferror(stdout);
}

/* To where it does not mix with the text. */
static void print_report(const sr_generate_report *r) {
  char text[5][SR_NUMBER_TEXT];
  fprintf(stderr, "%" PRId64 " tokens read in %s (%stokens/s), %" PRId64 " made in %s (%stokens/s); peak memory %s\n",
          r->read, sr_text_seconds(r->read_s, text[0]), sr_text_metric((double)r->read / r->read_s, text[1]), r->made,
          sr_text_seconds(r->made_s, text[2]), sr_text_metric((double)r->made / r->made_s, text[3]),
          sr_text_bytes(r->peak.max, text[4]));
}

/* Reads the configuration and looks at the model: on one process, before MPI_Init, since it forks. */
static sr_status prepare(void *data) {
  session *s = data;
  SR_TRY(sr_config_settings(SR_FOR_GENERATE, s->arguments, &s->settings));
  SR_TRY(check(&s->settings));
  return sr_saved_open(s->settings.model, &s->saved);
}

static sr_status run_job(void *data, MPI_Comm comm, int rank) {
  session *s = data;
  const sr_settings *settings = &s->settings;
  const sr_generate_job job = {
      .model = settings->model,
      .texts = settings->texts,
      .source = settings->source,
      .limit = settings->limit,
      .tokens = settings->tokens,
      .mask = {.window_left = settings->window[0], .window_right = settings->window[1], .sinks = settings->sinks},
      .sampling = {settings->temperature, settings->top_p, settings->top_k, (uint64_t)settings->sampling_seed},
      .threads = (int)settings->threads,
      .events = {.data = s, .warning = sr_event_warning},
      .token = print_token};
  sr_generate_report report;
  SR_TRY(sr_generate_text(comm, &job, &s->saved, &report));
  if (rank > 0) return SR_OK;
  putchar('\n');
  if (!settings->quiet) print_report(&report);
  return SR_OK;
}

static void end(void *data) {
  sr_saved_close(&((session *)data)->saved);
}

int sr_command_generate(const sr_arguments *arguments, const sr_settings *unused) {
  static session s; /* larger than some stacks */
  (void)unused;
  s.arguments = arguments;
  s.saved.file.fd = -1;
  sr_cleanup_install();
  return sr_parallel_run(&(sr_parallel){.data = &s,
                                        .prepare = prepare,
                                        .run = run_job,
                                        .end = end,
                                        .shared = &s.settings,
                                        .shared_size = sizeof s.settings});
}
