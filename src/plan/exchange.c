#include "exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "schedule/heads.h"

/* The tensors, in the order in which they lie in a message. */
typedef enum tensor { Q, K, V, O, LSE, TENSORS } tensor;

/* Those of one direction: from `from` to before `to`. */
typedef struct direction {
  tensor from, to;
} direction;
static const direction there = {Q, O}, back = {O, TENSORS};

static bool is_kv(tensor t) {
  return t == K || t == V;
}

/* Bytes of one head of one token. */
static uint64_t head_bytes(const sr_decision *d, tensor t) {
  const sr_options *o = &d->opt;
  if (t == LSE) return sr_dtype_size(d->lse_dtype);
  return (uint64_t)(t == V || t == O ? o->value_dim : o->head_dim) * sr_dtype_size(t == O ? o->out_dtype : o->dtype);
}

static sr_heads heads_of(const sr_decision *d, int member) {
  return sr_heads_part(d->opt.q_heads, d->opt.kv_heads, d->way.head_ranks, member);
}

static int64_t heads_in(const sr_heads *h, tensor t) {
  return is_kv(t) ? h->kv_count : h->q_count;
}

/* The rank of a member of this rank's team, and its tokens. */
static int rank_of(const sr_decision *d, int member) {
  return sr_team_member(&d->partition.teams, d->team, member);
}

static sr_tokens tokens_of(const sr_decision *d, int member, tensor t) {
  return (is_kv(t) ? d->partition.keys.of : d->partition.queries.of)[rank_of(d, member)];
}

/* Bytes of a member's rows for another member's heads. */
static uint64_t part_bytes(const sr_decision *d, tensor t, int owner, int worker) {
  const sr_heads h = heads_of(d, worker);
  return (uint64_t)sr_tokens_count(tokens_of(d, owner, t)) * (uint64_t)heads_in(&h, t) * head_bytes(d, t);
}

/* Where the part for another member lies in the block of this member's rows. */
static uint64_t part_offset(const sr_decision *d, direction w, tensor t, int worker) {
  uint64_t offset = 0;
  for (int member = 0; member < d->way.head_ranks; member++)
    for (tensor each = w.from; each < w.to && member != d->member; each++) {
      if (member == worker && each == t) return offset;
      offset += sr_align_up(part_bytes(d, each, d->member, member));
    }
  return offset;
}

static uint64_t larger(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

/* Bytes of tensors in the block of this member's heads. */
static uint64_t tensors_bytes(const sr_decision *d, tensor from, tensor to) {
  uint64_t all = 0;
  for (tensor t = from; t < to; t++) {
    uint64_t bytes = 0;
    for (int member = 0; member < d->way.head_ranks; member++) bytes += part_bytes(d, t, member, d->member);
    all += sr_align_up(bytes);
  }
  return all;
}

/* Where a tensor lies in it: o and lse take the place of k and v, which are packed by then, and q is behind both. */
static uint64_t tensor_offset(const sr_decision *d, tensor t) {
  if (t == Q) return larger(tensors_bytes(d, K, O), tensors_bytes(d, O, TENSORS));
  return tensors_bytes(d, is_kv(t) ? K : O, t);
}

uint64_t sr_exchange_outgoing_bytes(const sr_decision *d) {
  if (d->way.head_ranks == 1) return 0;
  return larger(part_offset(d, there, Q, d->way.head_ranks), part_offset(d, back, O, d->way.head_ranks));
}

uint64_t sr_exchange_incoming_bytes(const sr_decision *d) {
  if (d->way.head_ranks == 1) return 0;
  return tensor_offset(d, Q) + tensors_bytes(d, Q, K);
}

uint64_t sr_exchange_sent_bytes(const sr_decision *d, int member) {
  uint64_t bytes = 0;
  if (member == d->member) return 0;
  for (tensor t = Q; t < O; t++) bytes += part_bytes(d, t, d->member, member);
  for (tensor t = O; t < TENSORS; t++) bytes += part_bytes(d, t, member, d->member);
  return bytes;
}

/* A member's rows in a tensor of this member's heads, which has those of all members in ascending order. */
static int64_t add_rows(const sr_decision *d, tensor t, int owner, char *memory, sr_stretch *stretch, int64_t n) {
  const sr_heads h = heads_of(d, d->member);
  const uint64_t row = (uint64_t)heads_in(&h, t) * head_bytes(d, t);
  const sr_tokens rows = tokens_of(d, owner, t), all = is_kv(t) ? d->work.kv : d->work.q;
  for (int64_t i = 0; i < rows.n; i++)
    stretch[n++] = (sr_stretch){memory + (uint64_t)sr_tokens_before(all, rows.span[i].start) * row,
                                (uint64_t)rows.span[i].count * row};
  return n;
}

/* Messages with one member. On the way there its rows arrive for the heads of this one, whose rows leave for its heads;
 * on the way back the other way round. */
static sr_status add_member(sr_exchange *x, sr_transfer *transfer, direction w, int member, bool receives,
                            sr_stretch *stretch) {
  const sr_decision *d = x->d;
  const bool whole = receives == (w.from == Q); /* tensors of this member's heads, and not parts */
  int64_t n = 0;
  for (tensor t = w.from; t < w.to; t++)
    if (whole)
      n = add_rows(d, t, member, x->incoming + tensor_offset(d, t), stretch, n);
    else
      stretch[n++] = (sr_stretch){x->outgoing + part_offset(d, w, t, member), part_bytes(d, t, d->member, member)};
  return receives ? sr_transfer_receive(transfer, stretch, n, rank_of(d, member))
                  : sr_transfer_send(transfer, stretch, n, rank_of(d, member));
}

static sr_status add_members(sr_exchange *x, sr_transfer *transfer, direction w) {
  const sr_decision *d = x->d;
  sr_status status = SR_OK;
  for (int receives = 1; receives >= 0; receives--)
    for (int i = 1; i < d->way.head_ranks && status == SR_OK; i++) { /* each begins with its neighbour */
      const int member = (d->member + (receives ? d->way.head_ranks - i : i)) % d->way.head_ranks;
      const int64_t most = 2 * (tokens_of(d, member, Q).n + tokens_of(d, member, K).n) + TENSORS;
      sr_stretch *stretch = malloc((size_t)most * sizeof *stretch);
      status = stretch ? add_member(x, transfer, w, member, receives, stretch)
                       : sr_fail(SR_ERR_RESOURCE, "no memory for a message");
      free(stretch);
    }
  return status;
}

sr_status sr_exchange_create(MPI_Comm comm, uint64_t piece, sr_exchange *x) {
  SR_TRY(sr_transfer_create(comm, piece, &x->there));
  SR_TRY(sr_transfer_create(comm, piece, &x->back));
  SR_TRY(add_members(x, x->there, there));
  return add_members(x, x->back, back);
}

void sr_exchange_destroy(sr_exchange *x) {
  sr_transfer_destroy(&x->there);
  sr_transfer_destroy(&x->back);
}

static void *tensor_of(const sr_tensors *tensors, tensor t) {
  switch (t) {
  case Q:
    return (void *)tensors->q;
  case K:
    return (void *)tensors->k;
  case V:
    return (void *)tensors->v;
  case O:
    return tensors->o;
  default:
    return tensors->lse;
  }
}

/* Rows of some heads, in two places. */
typedef struct rows {
  char *part, *tensor;
  uint64_t part_row, tensor_row; /* bytes from one to the next; part_row of them are copied */
} rows;

static void copy_rows(const sr_decision *d, const rows *r, int64_t n, bool to_tensor) {
#pragma omp parallel for num_threads(d->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    char *part = r->part + (uint64_t)i * r->part_row, *in_tensor = r->tensor + (uint64_t)i * r->tensor_row;
    memcpy(to_tensor ? in_tensor : part, to_tensor ? part : in_tensor, r->part_row);
  }
}

/* The caller's rows of a member's heads to the part that leaves for it, or back; those of this member's own heads to
 * where they are worked on. */
static void copy_part(const sr_exchange *x, const sr_tensors *tensors, direction w, tensor t, int member) {
  const sr_decision *d = x->d;
  const sr_heads h = heads_of(d, member);
  const uint64_t head = head_bytes(d, t), row = (uint64_t)heads_in(&h, t) * head;
  const sr_tokens mine = tokens_of(d, d->member, t);
  if (mine.n == 0) return;
  const sr_tokens all = is_kv(t) ? d->work.kv : d->work.q;
  rows r = {.part = x->outgoing + part_offset(d, w, t, member),
            .tensor = (char *)tensor_of(tensors, t) + (uint64_t)(is_kv(t) ? h.kv_first : h.q_first) * head,
            .part_row = row,
            .tensor_row = (uint64_t)(is_kv(t) ? d->opt.kv_heads : d->opt.q_heads) * head};
  for (int64_t i = 0; i < mine.n; i++) {
    const int64_t n = mine.span[i].count;
    if (member == d->member)
      r.part = x->incoming + tensor_offset(d, t) + (uint64_t)sr_tokens_before(all, mine.span[i].start) * row;
    copy_rows(d, &r, n, w.from == O);
    r.part += (uint64_t)n * row;
    r.tensor += (uint64_t)n * r.tensor_row;
  }
}

static void copy_parts(const sr_exchange *x, const sr_tensors *tensors, direction w) {
  for (int member = 0; member < x->d->way.head_ranks; member++)
    for (tensor t = w.from; t < w.to; t++) copy_part(x, tensors, w, t, member);
}

static sr_status carry(sr_transfer *transfer) {
  SR_TRY(sr_transfer_start(transfer));
  return sr_transfer_wait(transfer);
}

sr_status sr_exchange_there(sr_exchange *x, const sr_tensors *tensors, sr_tensors *work) {
  const sr_decision *d = x->d;
  copy_parts(x, tensors, there);
  SR_TRY(carry(x->there));
  *work = (sr_tensors){.q = x->incoming + tensor_offset(d, Q),
                       .k = x->incoming + tensor_offset(d, K),
                       .v = x->incoming + tensor_offset(d, V),
                       .o = x->incoming + tensor_offset(d, O),
                       .lse = x->incoming + tensor_offset(d, LSE)};
  return SR_OK;
}

sr_status sr_exchange_back(sr_exchange *x, const sr_tensors *tensors) {
  SR_TRY(carry(x->back));
  copy_parts(x, tensors, back);
  return SR_OK;
}
