/* The command run: a text through a model. */
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
  const sr_arguments *arguments;
  prepared what;
  sr_saved saved; /* open on rank 0 */
} session;

/* None of the texts of a list may be overwritten. */
static sr_status check_texts(const sr_settings *s, const char *paths, const char *what) {
  while (*paths) {
    char *path = sr_text_next_path(&paths);
    if (!path) return sr_fail(SR_ERR_RESOURCE, "no memory for the name of a text");
    sr_status status = strlen(path) < SR_PATH_MAX
                           ? sr_check_differ("output", s->output, path, what)
                           : sr_fail(SR_ERR_ARGUMENT, "--text: a name has more than %d bytes", SR_PATH_MAX - 1);
    free(path);
    SR_TRY(status);
  }
  return SR_OK;
}

static sr_status check(const sr_settings *s) {
  const char *usage = "usage: seqring run --model MODEL.h5 --text FILE -o OUT.h5 [OPTION]...";
  if (!s->model[0]) return sr_fail(SR_ERR_ARGUMENT, "no model file; %s", usage);
  if (!s->texts[0]) return sr_fail(SR_ERR_ARGUMENT, "no text; %s", usage);
  if (s->dry_run) return SR_OK;
  if (!s->output[0]) return sr_fail(SR_ERR_ARGUMENT, "no output file; %s", usage);
  SR_TRY(sr_check_differ("output", s->output, s->config, "configuration file"));
  SR_TRY(sr_check_differ("output", s->output, s->machine, "file of --machine"));
  SR_TRY(check_texts(s, s->texts, "text"));
  SR_TRY(check_texts(s, s->source, "source"));
  return check_texts(s, s->questions, "file of questions");
}

/* "tokens,logprob" as bits; 0 for "auto". */
static sr_status read_outputs(const char *list, int *outputs) {
  char words[SR_LIST_MAX], *rest = NULL;
  *outputs = 0;
  if (!strcmp(list, "auto")) return SR_OK;
  snprintf(words, sizeof words, "%s", list);
  for (char *word = strtok_r(words, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
    const int before = *outputs;
    for (sr_run_output i = 0; i < SR_RUN_OUTPUTS; i++)
      if (!strcmp(word, sr_run_output_name(i))) *outputs |= sr_run_bit(i);
    if (*outputs == before)
      return sr_fail(
          SR_ERR_ARGUMENT,
          "--outputs: '%.60s' is none, or there twice: tokens, offsets, logprob, hidden, embedding, surprise, "
          "units, q, k and v are possible",
          word);
  }
  return *outputs ? SR_OK : sr_fail(SR_ERR_ARGUMENT, "--outputs: the list is empty");
}

/* The first of them, and how many there are. */
static void print_texts(const char *texts) {
  char name[SR_PATH_MAX];
  int more = 0;
  snprintf(name, sizeof name, "%.*s", (int)strcspn(texts, "\n"), texts);
  for (const char *c = texts; *c; c++) more += *c == '\n';
  sr_line_name("text", name);
  if (more > 0) printf(" and %d more", more);
}

static void print_head(const sr_settings *s, const sr_run_report *r) {
  char text[SR_NUMBER_TEXT];
  sr_line_name("model", s->model);
  printf(", weights %s a node\n", sr_text_bytes((double)r->weights, text));
  print_texts(s->texts);
  printf(", %" PRId64 " tokens", r->tokens);
  if (r->documents > 1) printf(", %" PRId64 " documents", r->documents);
  if (r->chunks > r->documents) printf(" in %" PRId64 " chunks", r->chunks);
  if (r->outputs & (sr_run_bit(SR_RUN_EMBEDDING) | sr_run_bit(SR_RUN_SURPRISE)))
    printf(", %" PRId64 " units", r->units);
  putchar('\n');
  sr_line_plan(&r->plan);
  sr_line_spreads();
}

static void print_plan(const sr_settings *s, const sr_run_report *r) {
  print_head(s, r);
  sr_line_spread("text and results", &r->text, sr_text_bytes);
  sr_line_spread("activations", &r->activations, sr_text_bytes);
  sr_line_spread("attention", &r->attention, sr_text_bytes);
  if (r->shared.max > 0) sr_line_spread("shared on a node", &r->shared, sr_text_bytes);
  sr_line_spread("memory", &r->memory, sr_text_bytes);
}

/* How a text goes on from a byte to another, in one line, as far as there is room. */
enum { EXCERPT = 100 };
static void print_excerpt(const char *texts, int64_t from, int64_t to) {
  char text[EXCERPT + 1];
  size_t n = to - from < EXCERPT ? (size_t)(to - from) : EXCERPT;
  if (sr_text_excerpt(texts, from, text, n, &n) != SR_OK) n = 0;
  text[n] = '\0';
  text[strcspn(text, "\r\n")] = '\0';
  sr_text_foreign(stdout, text);
  putchar('\n');
}

/* What units are told of, behind their question where there is one. */
static void print_top(const sr_settings *s, const sr_run_report *r) {
  int64_t question = -1;
  if (r->n_top > 0) printf("\n  %10s%10s%12s\n", "unit", s->questions[0] ? "cosine" : "surprise", "byte");
  for (int64_t i = 0; i < r->n_top; i++) {
    const sr_run_unit *unit = &r->top[i];
    if (unit->question != question) {
      question = unit->question;
      printf("  ");
      print_excerpt(s->questions, r->question[question].start,
                    r->question[question].start + r->question[question].count);
    }
    printf("  %10" PRId64 "%10.4f%12" PRId64 "  ", unit->ranked.unit + 1, unit->ranked.value, unit->from);
    print_excerpt(s->texts, unit->from, unit->to);
  }
}

static void print(const sr_settings *s, const sr_run_report *r) {
  char text[SR_NUMBER_TEXT];
  print_head(s, r);
  sr_line_spread("load", &r->load_s, sr_text_seconds);
  sr_line_spread("layers", &r->forward_s, sr_text_seconds);
  if (r->outputs & (sr_run_bit(SR_RUN_LOGPROB) | sr_run_bit(SR_RUN_SURPRISE)))
    sr_line_spread("predictions", &r->head_s, sr_text_seconds);
  sr_line_spread("write", &r->write_s, sr_text_seconds);
  sr_line_spread("peak memory", &r->peak, sr_text_bytes);
  putchar('\n');
  const double computing = r->forward_s.max + r->head_s.max; /* 0 where nothing but the text is asked for */
  if (computing > 0) {
    sr_line_label("speed");
    printf("%stokens/s in layers and predictions\n", sr_text_metric((double)r->tokens / computing, text));
  }
  sr_line_label("wall time");
  printf("%s\n", sr_text_seconds(r->wall_s, text));
  sr_line_name("output", s->output);
  putchar('\n');
}

/* Reads the configuration and looks at the model: on one process, before MPI_Init, since it forks. */
static sr_status prepare(void *data) {
  session *s = data;
  SR_TRY(sr_config_settings(SR_FOR_RUN, s->arguments, &s->what.settings));
  SR_TRY(check(&s->what.settings));
  SR_TRY(read_outputs(s->what.settings.outputs, &s->what.outputs));
  return sr_saved_open(s->what.settings.model, &s->saved);
}

static sr_status run_job(void *data, MPI_Comm comm, int rank) {
  session *s = data;
  const sr_settings *settings = &s->what.settings;
  const sr_run_job job = {
      .model = settings->model,
      .texts = settings->texts,
      .source = settings->source,
      .document = (sr_cut)settings->documents,
      .unit = (sr_cut)settings->unit,
      .top = settings->top,
      .questions = settings->questions,
      .mask = {.window_left = settings->window[0], .window_right = settings->window[1], .sinks = settings->sinks},
      .overlap = settings->chunk_overlap,
      .layer = settings->layer,
      .output = settings->output,
      .limit = settings->limit,
      .outputs = s->what.outputs,
      .threads = (int)settings->threads,
      .machine = settings->machine,
      .dry_run = settings->dry_run,
      .events = {.warning = sr_event_warning, .partial = sr_event_partial}};
  sr_run_report report;
  sr_status status = sr_run_text(comm, &job, &s->saved, &report);
  if (status == SR_OK && rank == 0 && !settings->quiet) (job.dry_run ? print_plan : print)(settings, &report);
  if (status == SR_OK && rank == 0) print_top(settings, &report);
  sr_run_report_free(&report);
  return status;
}

static void end(void *data) {
  sr_saved_close(&((session *)data)->saved);
}

int sr_command_run(const sr_arguments *arguments, const sr_settings *unused) {
  static session s; /* larger than some stacks */
  (void)unused;
  s.arguments = arguments;
  s.saved.file.fd = -1;
  sr_cleanup_install();
  return sr_parallel_run(&(sr_parallel){
      .data = &s, .prepare = prepare, .run = run_job, .end = end, .shared = &s.what, .shared_size = sizeof s.what});
}
