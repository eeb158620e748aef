#include "costs_file.h"

#include <errno.h>
#include <jansson.h>
#include <seqring/io.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/replace.h"
#include "comm/comm.h"
#include "io/file.h"
#include "world.h"

enum { FORMAT = 2, LARGEST_FILE = 64 << 10 };

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

/* Links that a job has, or that a file holds the costs of. */
typedef struct links {
  bool inside, between;
} links;

/* What a file holds; costs of links that it does not hold are left alone. */
typedef struct kept_costs {
  sr_costs costs;
  bool found; /* the file */
  links known;
} kept_costs;

/* A link's costs, or null where no job has measured it. */
static bool understand_link(json_t *json, bool *known, sr_link *link, json_error_t *error) {
  *known = !json_is_null(json);
  return !*known || !json_unpack_ex(json, error, 0, "{s:F, s:F, s:F}", "latency_s", &link->latency_s, "s_per_byte",
                                    &link->s_per_byte, "hidden_s_per_byte", &link->hidden_s_per_byte);
}

/* threads: by which the file's operations a second of one are multiplied. */
static sr_status understand(const char *path, json_t *json, int threads, kept_costs *kept) {
  sr_costs *c = &kept->costs;
  json_t *inside, *between;
  json_error_t error;
  int format = 0;
  const bool understood =
      !json_unpack_ex(json, &error, 0, "{s:i, s:F, s:F, s:o, s:o}", "seqring_costs", &format, "flops_a_thread",
                      &c->flops, "copy_s_per_byte", &c->copy_s_per_byte, "inside", &inside, "between", &between) &&
      understand_link(inside, &kept->known.inside, &c->inside, &error) &&
      understand_link(between, &kept->known.between, &c->between, &error);
  if (!understood) return bad_file(path, error.text);
  if (format != FORMAT) return bad_file(path, "it is of another version");
  if (sr_costs_check(c) != SR_OK) return bad_file(path, "a number is out of range");
  c->flops *= threads;
  return SR_OK;
}

static json_t *link_json(bool known, const sr_link *link) {
  if (!known) return json_null();
  return json_pack("{s:f, s:f, s:f}", "latency_s", link->latency_s, "s_per_byte", link->s_per_byte, "hidden_s_per_byte",
                   link->hidden_s_per_byte);
}

static json_t *kept_json(int threads, const kept_costs *kept) {
  const sr_costs *c = &kept->costs;
  return json_pack("{s:i, s:f, s:f, s:o, s:o}", "seqring_costs", FORMAT, "flops_a_thread", c->flops / threads,
                   "copy_s_per_byte", c->copy_s_per_byte, "inside", link_json(kept->known.inside, &c->inside),
                   "between", link_json(kept->known.between, &c->between));
}

/* A reader never sees half of a file: it gets its name when it is complete. Returns false and sets errno on failure. */
static bool replace(const char *path, const json_t *json) {
  char target[SR_PATH_MAX], partial[SR_PATH_MAX + 64];
  if (!sr_replace_target(path, target, sizeof target) || !sr_may_replace(target)) return false;
  const int fd = sr_replace_open(target, partial, sizeof partial);
  if (fd < 0) return false;
  errno = 0; /* which the writing of JSON leaves alone where the disk took less than all */
  const bool done = !json_dumpfd(json, fd, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) && !fsync(fd) &&
                    sr_replace_finish(fd, partial, target);
  const int error = errno ? errno : ENOSPC;
  if (!done) unlink(partial);
  close(fd);
  errno = error;
  return done;
}

static sr_status keep(const char *path, int threads, const kept_costs *kept) {
  json_t *json = kept_json(threads, kept);
  if (!json) return sr_fail(SR_ERR_RESOURCE, "%s: no memory for the costs of this machine", path);
  sr_status status = SR_OK;
  if (!replace(path, json))
    status = sr_fail(sr_file_status(errno), "%s: cannot keep the costs of this machine: %s", path, strerror(errno));
  json_decref(json);
  return status;
}

static sr_status read_file(const char *path, int threads, kept_costs *kept) {
  json_t *json;
  SR_TRY(load(path, &json));
  kept->found = json != NULL;
  sr_status status = json ? understand(path, json, threads, kept) : SR_OK;
  json_decref(json);
  return status;
}

static sr_status find_links(MPI_Comm comm, links *has) {
  int ranks, local_ranks;
  SR_TRY(sr_comm_size(comm, &ranks));
  SR_TRY(sr_comm_node_ranks(comm, &local_ranks));
  int64_t some[2] = {local_ranks > 1, local_ranks < ranks};
  SR_TRY(sr_comm_max_i64(comm, some, 2));
  *has = (links){some[0], some[1]};
  return SR_OK;
}

/* Measures what this job has; the costs of links that it does not have stay those of the file. */
static sr_status measure(MPI_Comm comm, int threads, links has, kept_costs *kept) {
  const sr_costs old = kept->costs;
  SR_TRY(sr_costs_measure(comm, threads, &kept->costs));
  if (!has.inside) kept->costs.inside = old.inside;
  if (!has.between) kept->costs.between = old.between;
  kept->known = (links){kept->known.inside || has.inside, kept->known.between || has.between};
  return SR_OK;
}

sr_status sr_costs_find(MPI_Comm comm, const char *path, int threads, sr_costs *costs) {
  kept_costs kept = {.found = false};
  links has;
  int rank;
  sr_costs_default(&kept.costs);
  SR_TRY(sr_comm_rank(comm, &rank));
  const bool keeps = rank == 0 && *path;
  SR_TRY(sr_world_share(comm, keeps ? read_file(path, threads, &kept) : SR_OK, &kept, sizeof kept));
  SR_TRY(find_links(comm, &has));
  if (!kept.found || (has.inside && !kept.known.inside) || (has.between && !kept.known.between)) {
    SR_TRY(measure(comm, threads, has, &kept));
    SR_TRY(sr_world_agree(comm, keeps ? keep(path, threads, &kept) : SR_OK));
  }
  *costs = kept.costs;
  return SR_OK;
}
