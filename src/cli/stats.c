#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/replace.h"
#include "cleanup.h"
#include "io/file.h"
#include "job/json.h"
#include "job/provenance.h"
#include "job/report.h"
#include "options.h"

/* "read_s" and so on: objects with min, mean and max over the ranks. */
typedef struct spread_key {
  const char *name;
  size_t offset;
} spread_key;

#define SPREAD(key, member)                                                                                            \
  { key, offsetof(sr_attend_report, member) }

static const spread_key spreads[] = {
    SPREAD("read_s", read_s),         SPREAD("attention_s", attention_s),      SPREAD("wait_s", wait_s),
    SPREAD("write_s", write_s),       SPREAD("bytes_sent_a_rank", sent),       SPREAD("peak_memory_a_rank", peak),
    SPREAD("queries_a_rank", q_rows), SPREAD("planned_memory_a_rank", memory),
};

const sr_stats_key sr_stats_key_table[] = {
    {"wall_s", "seconds from the first decision to the complete output, on the slowest rank"},
    {"read_s",
     "seconds a rank spent reading q, k and v: an object with min, mean and max over the ranks, as are the next ones"},
    {"attention_s", "seconds in attention, waiting included"},
    {"wait_s", "of these, seconds of waiting for keys and values of other ranks"},
    {"write_s", "seconds of making, writing and completing the output"},
    {"bytes_sent_a_rank",
     "bytes of keys and values; where heads are dealt also of queries and results, and for a few queries "
     "of these and partial results"},
    {"peak_memory_a_rank", "largest resident bytes of the process"},
    {"queries_a_rank", "queries held"},
    {"planned_memory_a_rank", "bytes of tensors and workspace that --dry-run names"},
    {"steps",
     "for each step of the schedule an object with work_s and wait_s over the ranks, and bytes_sent by all of them"},
    {"placement",
     "for each rank an object with rank, host, cpus (processing units it is bound to), numa (their domains), cores and "
     "threads"},
    {"ranks, threads", "number of ranks, and of threads of each"},
    {"tokens_per_s", "queries over the largest attention_s"},
    {"gflops", "useful 1e9 floating-point operations a second of all ranks, over the largest attention_s"},
    {"flops", "useful operations: 2 (width of k + width of v) for each visible query, key and head"},
    {"bytes_sent", "sum over the ranks"},
    {"bytes_between_nodes", "of these, bytes to ranks of other nodes; 0 for the strategy decode"},
    {"peak_memory_bytes", "largest peak_memory_a_rank"},
    {"isa, compute", "instruction set and element type of the kernels"},
    {"strategy, balance", "how keys and values travel, and how tokens are dealt to ranks"},
    {"nonfinite", "NaN and Inf elements of q, k and v that some query sees"},
    {"output_bytes", "size of the output"},
    {"verify", "null, or an object with rows, o_error, lse_error and worst, the largest error as a share of what "
               "rounding explains, of query worst_query and head worst_head; an error is null where it is no number"},
    {"options", "the options as they were given, by name"},
    {"resolved", "what they came to: mask, first position, scale, element types"},
    {"versions", "versions of seqring and of its libraries"},
};
const int sr_n_stats_keys = (int)(sizeof sr_stats_key_table / sizeof *sr_stats_key_table);

struct sr_stats {
  char path[SR_PATH_MAX];
  char partial[SR_PATH_MAX + 64]; /* "" when path is no regular file and is written in place */
  FILE *file;
};

static sr_status fail(const char *path) {
  return sr_fail(sr_file_status(errno), "%s: cannot write the statistics: %s", path, strerror(errno));
}

/* The stream of this process, output or errors, that goes to a file; -1 for none. */
static int stream_to(const struct stat *file) {
  struct stat mine;
  for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
    if (!fstat(fd, &mine) && mine.st_dev == file->st_dev && mine.st_ino == file->st_ino) return fd;
  return -1;
}

/* A pipe without a reader is an error, but a slow reader is none. */
static int open_special(const char *path) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0) fcntl(fd, F_SETFL, O_WRONLY);
  return fd;
}

/* In place what a stream goes to and what is no regular file, else a partial one; -1 and errno on failure. */
static int open_file(sr_stats *made) {
  struct stat about;
  const bool there = !stat(made->path, &about);
  const int stream = there ? stream_to(&about) : -1;
  if (stream >= 0) return fcntl(stream, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (there && !S_ISREG(about.st_mode)) return open_special(made->path);
  return sr_may_replace(made->path) ? sr_replace_open(made->path, made->partial, sizeof made->partial) : -1;
}

sr_status sr_stats_open(const char *path, sr_stats **stats) {
  *stats = NULL;
  sr_stats *made = calloc(1, sizeof *made);
  if (!made) return sr_fail(SR_ERR_RESOURCE, "%s: no memory for the statistics", path);
  int fd = sr_replace_target(path, made->path, sizeof made->path) ? open_file(made) : -1;
  made->file = fd < 0 ? NULL : fdopen(fd, "w");
  if (!made->file) {
    sr_status status = fail(path);
    if (fd >= 0) close(fd);
    if (made->partial[0]) unlink(made->partial);
    free(made);
    return status;
  }
  if (made->partial[0]) sr_cleanup_set(SR_CLEANUP_STATS, made->partial);
  *stats = made;
  return SR_OK;
}

void sr_stats_abandon(sr_stats **stats) {
  sr_stats *old = *stats;
  *stats = NULL;
  if (!old) return;
  if (old->file) fclose(old->file);
  if (old->partial[0]) unlink(old->partial);
  sr_cleanup_set(SR_CLEANUP_STATS, NULL);
  free(old);
}

static json_t *given_json(const sr_settings *settings) {
  static char text[SR_VALUE_TEXT];
  json_t *json = json_object();
  for (int i = 0; json && i < sr_n_options; i++) {
    if (!sr_option_table[i].in_config || !(sr_option_table[i].commands & SR_FOR_ATTEND)) continue;
    sr_option_text(&sr_option_table[i], settings, text);
    if (json_object_set_new(json, sr_option_table[i].name, text[0] ? sr_json_text(text) : json_null())) {
      json_decref(json);
      json = NULL;
    }
  }
  return json;
}

static json_t *verify_json(const sr_verify_result *verify) {
  if (verify->rows == 0) return json_null();
  return json_pack("{s:I, s:o, s:o, s:o, s:I, s:I}", "rows", (json_int_t)verify->rows, "o_error",
                   sr_json_number(verify->o_error), "lse_error", sr_json_number(verify->lse_error), "worst",
                   sr_json_number(verify->worst), "worst_query", (json_int_t)verify->worst_query, "worst_head",
                   (json_int_t)verify->worst_head);
}

static json_t *spread_json(const sr_spread *spread) {
  return json_pack("{s:f, s:f, s:f}", "min", spread->min, "mean", spread->mean, "max", spread->max);
}

static json_t *steps_json(const sr_attend_report *report) {
  json_t *steps = json_array();
  for (int64_t i = 0; steps && i < report->n_steps; i++) {
    const sr_step_report *step = &report->step[i];
    json_t *json = json_pack("{s:o, s:o, s:I}", "work_s", spread_json(&step->work_s), "wait_s",
                             spread_json(&step->wait_s), "bytes_sent", (json_int_t)(step->sent + 0.5));
    if (!json_array_append_new(steps, json)) continue;
    json_decref(steps);
    steps = NULL;
  }
  return steps;
}

static json_t *places_json(const sr_attend_report *report) {
  json_t *places = json_array();
  for (int i = 0; places && i < report->plan.ranks; i++) {
    const sr_placement *place = &report->place[i];
    json_t *json =
        json_pack("{s:o, s:o, s:s, s:s, s:i, s:i}", "rank", json_integer(i), "host", sr_json_text(place->host), "cpus",
                  place->cpus, "numa", place->numa, "cores", place->bound_cores, "threads", place->threads);
    if (!json_array_append_new(places, json)) continue;
    json_decref(places);
    places = NULL;
  }
  return places;
}

static json_t *stats_json(const sr_attend_job *job, const sr_settings *settings, const sr_attend_report *report) {
  const sr_plan_info *plan = &report->plan;
  char strategy[SR_STRATEGY_TEXT];
  sr_strategy_of(plan, strategy);
  json_t *json = json_object();
  int failed = !json || json_object_set_new(json, "wall_s", json_real(report->wall_s)) ||
               json_object_set_new(json, "steps", steps_json(report)) ||
               json_object_set_new(json, "placement", places_json(report));
  for (size_t i = 0; !failed && i < sizeof spreads / sizeof *spreads; i++) {
    const sr_spread *spread = (const sr_spread *)((const char *)report + spreads[i].offset);
    failed = json_object_set_new(json, spreads[i].name, spread_json(spread));
  }
  json_t *rest =
      json_pack("{s:i, s:i, s:f, s:f, s:f, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o}", "ranks",
                plan->ranks, "threads", plan->threads, "tokens_per_s", report->tokens_per_s, "gflops", report->gflops,
                "flops", plan->flops, "bytes_between_nodes", (json_int_t)(report->far.mean * plan->ranks + 0.5),
                "bytes_sent", (json_int_t)(report->sent.mean * plan->ranks + 0.5), "peak_memory_bytes",
                (json_int_t)report->peak.max, "isa", plan->isa, "compute", sr_dtype_name(plan->compute), "strategy",
                strategy, "balance", sr_balance_name(plan->balance), "nonfinite", (json_int_t)report->nonfinite,
                "output_bytes", (json_int_t)report->output_bytes, "verify", verify_json(&report->verify), "options",
                given_json(settings), "resolved", sr_options_json(job, report), "versions", sr_versions_json());
  failed = failed || !rest || json_object_update(json, rest);
  json_decref(rest);
  if (!failed) return json;
  json_decref(json);
  return NULL;
}

static sr_status finish(sr_stats *stats, const json_t *json) {
  bool written =
      !json_dumpf(json, stats->file, JSON_INDENT(2)) && fputc('\n', stats->file) != EOF && !fflush(stats->file);
  if (written && stats->partial[0]) written = !fsync(fileno(stats->file));
  if (!written) return fail(stats->path);
  if (stats->partial[0] && !sr_replace_finish(fileno(stats->file), stats->partial, stats->path))
    return fail(stats->path);
  stats->partial[0] = '\0';
  int closed = fclose(stats->file);
  stats->file = NULL;
  if (closed) return fail(stats->path);
  return SR_OK;
}

sr_status sr_stats_write(sr_stats **stats, const sr_attend_job *job, const sr_settings *settings,
                         const sr_attend_report *report) {
  json_t *json = stats_json(job, settings, report);
  sr_status status =
      json ? finish(*stats, json) : sr_fail(SR_ERR_RESOURCE, "%s: no memory for the statistics", (*stats)->path);
  json_decref(json);
  sr_stats_abandon(stats);
  return status;
}
