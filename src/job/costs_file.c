#include "costs_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/replace.h"
#include "comm/comm.h"
#include "world.h"

enum { FORMAT = 1, LARGEST_FILE = 64 << 10 };

static sr_status bad_file(const char *path, const char *what) {
  return sr_fail(SR_ERR_INPUT, "%s: no costs of a machine that seqring has measured: %s", path, what);
}

/* *json is NULL when there is no such file. */
static sr_status load(const char *path, json_t **json) {
  struct stat file;
  json_error_t error;
  *json = NULL;
  if (stat(path, &file))
    return errno == ENOENT ? SR_OK : sr_fail(SR_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  if (!S_ISREG(file.st_mode) || file.st_size > LARGEST_FILE) return bad_file(path, "it is no small file");
  *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
  return *json ? SR_OK : bad_file(path, error.text);
}

#define LINK_FORMAT "{s:F, s:F, s:F}"

/* threads: by which the file's operations a second of one are multiplied. */
static sr_status understand(const char *path, json_t *json, int threads, sr_costs *c) {
  json_error_t error;
  int format = 0;
  const int failed = json_unpack_ex(
      json, &error, 0, "{s:i, s:F, s:F, s:" LINK_FORMAT ", s:" LINK_FORMAT "}", "seqring_costs", &format,
      "flops_a_thread", &c->flops, "copy_s_per_byte", &c->copy_s_per_byte, "inside", "latency_s", &c->inside.latency_s,
      "s_per_byte", &c->inside.s_per_byte, "hidden_s_per_byte", &c->inside.hidden_s_per_byte, "between", "latency_s",
      &c->between.latency_s, "s_per_byte", &c->between.s_per_byte, "hidden_s_per_byte", &c->between.hidden_s_per_byte);
  if (failed) return bad_file(path, error.text);
  if (format != FORMAT) return bad_file(path, "it is of another version");
  if (sr_costs_check(c) != SR_OK) return bad_file(path, "a number is out of range");
  c->flops *= threads;
  return SR_OK;
}

static json_t *link_json(const sr_link *link) {
  return json_pack("{s:f, s:f, s:f}", "latency_s", link->latency_s, "s_per_byte", link->s_per_byte, "hidden_s_per_byte",
                   link->hidden_s_per_byte);
}

/* A reader never sees half of a file: it gets its name when it is complete. */
static sr_status keep(const char *path, int threads, const sr_costs *c) {
  char partial[4200];
  json_t *json = json_pack("{s:i, s:f, s:f, s:o, s:o}", "seqring_costs", FORMAT, "flops_a_thread", c->flops / threads,
                           "copy_s_per_byte", c->copy_s_per_byte, "inside", link_json(&c->inside), "between",
                           link_json(&c->between));
  if (!json) return sr_fail(SR_ERR_RESOURCE, "%s: no memory for the costs of this machine", path);
  const int fd = sr_replace_open(path, partial, sizeof partial);
  const bool kept = fd >= 0 && !json_dumpfd(json, fd, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) &&
                    sr_replace_finish(fd, partial, path);
  const int error = errno;
  json_decref(json);
  if (fd >= 0) close(fd);
  if (kept) return SR_OK;
  if (fd >= 0) unlink(partial);
  return sr_fail(SR_ERR_OUTPUT, "%s: cannot keep the costs of this machine: %s", path, strerror(error));
}

/* *found tells whether there is a file. */
static sr_status read_file(const char *path, int threads, bool *found, sr_costs *costs) {
  json_t *json;
  SR_TRY(load(path, &json));
  *found = json != NULL;
  sr_status status = json ? understand(path, json, threads, costs) : SR_OK;
  json_decref(json);
  return status;
}

sr_status sr_costs_find(MPI_Comm comm, const char *path, int threads, sr_costs *costs) {
  struct {
    sr_costs costs;
    bool found;
  } file = {.found = false};
  int rank;
  SR_TRY(sr_comm_rank(comm, &rank));
  sr_status status = rank == 0 && *path ? read_file(path, threads, &file.found, &file.costs) : SR_OK;
  SR_TRY(sr_world_share(comm, status, &file, sizeof file));
  *costs = file.costs;
  if (file.found) return SR_OK;
  SR_TRY(sr_costs_measure(comm, threads, costs));
  return sr_world_agree(comm, rank == 0 && *path ? keep(path, threads, costs) : SR_OK);
}
