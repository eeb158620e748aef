#include "comm.h"

#include <string.h>

#include "base/error.h"
#include "base/two_sum.h"

enum { MOST_ALIKE = 32 };

/* No count passes int, and neither do the bytes of a reduction or a broadcast, which some implementations count in int.
 */
static int count_limit = 1 << 28;

int sr_comm_count_limit(void) {
  return count_limit;
}

void sr_comm_set_count_limit(int limit) {
  count_limit = limit;
}

sr_status sr_mpi(int mpi_error, const char *call) {
  if (mpi_error == MPI_SUCCESS) return SR_OK;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(mpi_error, text, &length) != MPI_SUCCESS) length = 0;
  return sr_fail(SR_ERR_MPI, "%s: %.*s", call, length, text);
}

sr_status sr_comm_dup(MPI_Comm comm, MPI_Comm *copy) {
  SR_TRY(sr_mpi(MPI_Comm_dup(comm, copy), "MPI_Comm_dup"));
  return sr_mpi(MPI_Comm_set_errhandler(*copy, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

void sr_comm_free(MPI_Comm *copy) {
  if (*copy != MPI_COMM_NULL) MPI_Comm_free(copy);
}

sr_status sr_comm_rank(MPI_Comm comm, int *rank) {
  return sr_mpi(MPI_Comm_rank(comm, rank), "MPI_Comm_rank");
}

sr_status sr_comm_size(MPI_Comm comm, int *ranks) {
  return sr_mpi(MPI_Comm_size(comm, ranks), "MPI_Comm_size");
}

/* What a rank tells the others of its failure. */
typedef struct failure {
  int status;
  char text[SR_ERROR_TEXT], host[MPI_MAX_PROCESSOR_NAME];
} failure;

sr_status sr_agree(MPI_Comm comm, sr_status mine) {
  int rank, ranks, length;
  SR_TRY(sr_comm_rank(comm, &rank));
  SR_TRY(sr_comm_size(comm, &ranks));
  int first = mine == SR_OK ? ranks : rank;
  SR_TRY(sr_mpi(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm), "MPI_Allreduce"));
  if (first == ranks) return SR_OK;
  failure f = {.status = (int)mine};
  char root[MPI_MAX_PROCESSOR_NAME];
  strncpy(f.text, sr_error_text(), sizeof f.text - 1);
  SR_TRY(sr_mpi(MPI_Get_processor_name(f.host, &length), "MPI_Get_processor_name"));
  memcpy(root, f.host, sizeof root);
  SR_TRY(sr_mpi(MPI_Bcast(root, (int)sizeof root, MPI_BYTE, 0, comm), "MPI_Bcast"));
  SR_TRY(sr_mpi(MPI_Bcast(&f, (int)sizeof f, MPI_BYTE, first, comm), "MPI_Bcast"));
  if (!strcmp(f.host, root)) return sr_fail((sr_status)f.status, "%s", f.text);
  return sr_fail((sr_status)f.status, "%s (on %s)", f.text, f.host);
}

sr_status sr_agree_memory(MPI_Comm comm, bool mine, const char *what_for) {
  return sr_agree(comm, mine ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory %s", what_for));
}

sr_status sr_comm_node(MPI_Comm comm, MPI_Comm *node) {
  SR_TRY(sr_mpi(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, node), "MPI_Comm_split_type"));
  return sr_mpi(MPI_Comm_set_errhandler(*node, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

sr_status sr_comm_node_ranks(MPI_Comm comm, int *local_ranks) {
  MPI_Comm node;
  SR_TRY(sr_comm_node(comm, &node));
  sr_status status = sr_comm_size(node, local_ranks);
  sr_comm_free(&node);
  return status;
}

sr_status sr_comm_nodes(MPI_Comm comm, int ranks, int *node_of) {
  MPI_Comm node;
  int first;
  SR_TRY(sr_comm_rank(comm, &first));
  SR_TRY(sr_comm_node(comm, &node));
  sr_status status = sr_mpi(MPI_Bcast(&first, 1, MPI_INT, 0, node), "MPI_Bcast");
  sr_comm_free(&node);
  SR_TRY(status);
  SR_TRY(sr_mpi(MPI_Allgather(&first, 1, MPI_INT, node_of, 1, MPI_INT, comm), "MPI_Allgather"));
  int nodes = 0; /* a node's first rank has a number that is its own */
  for (int r = 0; r < ranks; r++) node_of[r] = node_of[r] == r ? nodes++ : node_of[node_of[r]];
  return SR_OK;
}

sr_status sr_comm_split(MPI_Comm comm, int color, MPI_Comm *part) {
  SR_TRY(sr_mpi(MPI_Comm_split(comm, color, 0, part), "MPI_Comm_split"));
  return sr_mpi(MPI_Comm_set_errhandler(*part, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

sr_status sr_comm_barrier(MPI_Comm comm) {
  return sr_mpi(MPI_Barrier(comm), "MPI_Barrier");
}

/* n elements in place, in chunks. */
static sr_status reduce(MPI_Comm comm, void *data, int64_t n, size_t size, MPI_Datatype type, MPI_Op op) {
  const int64_t most = count_limit > (int)size ? count_limit / (int)size : 1;
  for (int64_t at = 0; at < n; at += most) {
    int count = (int)(n - at < most ? n - at : most);
    char *part = (char *)data + (size_t)at * size;
    SR_TRY(sr_mpi(MPI_Allreduce(MPI_IN_PLACE, part, count, type, op, comm), "MPI_Allreduce"));
  }
  return SR_OK;
}

sr_status sr_comm_or(MPI_Comm comm, void *bits, uint64_t bytes) {
  return reduce(comm, bits, (int64_t)bytes, 1, MPI_BYTE, MPI_BOR);
}

sr_status sr_comm_sum(MPI_Comm comm, double *value, int64_t n) {
  return reduce(comm, value, n, sizeof *value, MPI_DOUBLE, MPI_SUM);
}

sr_status sr_comm_max(MPI_Comm comm, double *value, int64_t n) {
  return reduce(comm, value, n, sizeof *value, MPI_DOUBLE, MPI_MAX);
}

sr_status sr_comm_sum_i64(MPI_Comm comm, int64_t *value, int64_t n) {
  return reduce(comm, value, n, sizeof *value, MPI_INT64_T, MPI_SUM);
}

sr_status sr_comm_max_i64(MPI_Comm comm, int64_t *value, int64_t n) {
  return reduce(comm, value, n, sizeof *value, MPI_INT64_T, MPI_MAX);
}

/* What rounding the sum of the high parts loses joins the low ones. */
static void add_pairs(void *from, void *to, int *n, MPI_Datatype *type) {
  const double *a = from;
  double *b = to;
  (void)type;
  for (int i = 0; i < 2 * *n; i += 2) b[i + 1] += a[i + 1] + sr_two_sum(&b[i], a[i]);
}

static sr_status reduce_pairs(MPI_Comm comm, double *pair, int64_t n, MPI_Datatype type) {
  MPI_Op op;
  SR_TRY(sr_mpi(MPI_Op_create(add_pairs, 1, &op), "MPI_Op_create"));
  sr_status status = reduce(comm, pair, n, 2 * sizeof *pair, type, op);
  sr_status freed = sr_mpi(MPI_Op_free(&op), "MPI_Op_free");
  return status != SR_OK ? status : freed;
}

sr_status sr_comm_sum_pairs(MPI_Comm comm, double *pair, int64_t n) {
  MPI_Datatype type;
  SR_TRY(sr_mpi(MPI_Type_contiguous(2, MPI_DOUBLE, &type), "MPI_Type_contiguous"));
  sr_status status = sr_mpi(MPI_Type_commit(&type), "MPI_Type_commit");
  if (status == SR_OK) status = reduce_pairs(comm, pair, n, type);
  sr_status freed = sr_mpi(MPI_Type_free(&type), "MPI_Type_free");
  return status != SR_OK ? status : freed;
}

sr_status sr_comm_alike(MPI_Comm comm, const int64_t *value, int n, bool *alike) {
  int64_t least_and_most[2 * MOST_ALIKE];
  if (n > MOST_ALIKE) return sr_fail(SR_ERR_INTERNAL, "%d values to compare", n);
  for (int i = 0; i < n; i++) {
    least_and_most[2 * i] = value[i];
    least_and_most[2 * i + 1] = ~value[i]; /* falls where value rises */
  }
  SR_TRY(reduce(comm, least_and_most, 2 * n, sizeof *value, MPI_INT64_T, MPI_MIN));
  *alike = true;
  for (int i = 0; i < n; i++) *alike &= least_and_most[2 * i] == ~least_and_most[2 * i + 1];
  return SR_OK;
}

sr_status sr_comm_alike_text(MPI_Comm comm, const char *text, bool *alike) {
  uint64_t digest = 0;
  for (const char *c = text; *c; c++) digest = digest * 131 + (unsigned char)*c;
  const int64_t value = (int64_t)(digest >> 1);
  return sr_comm_alike(comm, &value, 1, alike);
}

sr_status sr_comm_gather(MPI_Comm comm, const void *piece, int bytes, void *all, int root) {
  return sr_mpi(MPI_Gather(piece, bytes, MPI_BYTE, all, bytes, MPI_BYTE, root, comm), "MPI_Gather");
}

sr_status sr_comm_bcast(MPI_Comm comm, void *data, uint64_t bytes, int root) {
  const uint64_t most = (uint64_t)count_limit;
  for (uint64_t at = 0; at < bytes; at += most) {
    int n = (int)(bytes - at < most ? bytes - at : most);
    SR_TRY(sr_mpi(MPI_Bcast((char *)data + at, n, MPI_BYTE, root, comm), "MPI_Bcast"));
  }
  return SR_OK;
}
