#include "tensors.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/memory.h"
#include "normal.h"

bool sr_bench_tensors_suit(const sr_bench_tensors *t, const sr_options *want, const sr_plan_info *info) {
  const sr_options *have = &t->made_for;
  return t->lse && have->q_len == want->q_len && have->kv_len == want->kv_len && have->q_heads == want->q_heads &&
         have->kv_heads == want->kv_heads && have->head_dim == want->head_dim && have->value_dim == want->value_dim &&
         have->dtype == want->dtype && have->out_dtype == want->out_dtype && t->balance == info->balance &&
         info->balance != SR_BALANCE_WEIGHTED; /* which depends on the mask */
}

/* The products fit: the plan has checked the whole tensors. */
static bool allocate(int64_t rows, int64_t width, sr_dtype dtype, void **block) {
  *block = sr_alloc((uint64_t)rows * (uint64_t)width * sr_dtype_size(dtype));
  return *block != NULL;
}

static sr_status allocate_all(const sr_options *opt, const sr_plan_info *info, sr_bench_tensors *t) {
  bool ok = allocate(info->q_rows, opt->q_heads * opt->head_dim, opt->dtype, &t->q) &&
            allocate(info->kv_rows, opt->kv_heads * opt->head_dim, opt->dtype, &t->k) &&
            allocate(info->kv_rows, opt->kv_heads * opt->value_dim, opt->dtype, &t->v) &&
            allocate(info->q_rows, opt->q_heads * opt->value_dim, opt->out_dtype, &t->o) &&
            allocate(info->q_rows, opt->q_heads, info->lse_dtype, &t->lse);
  if (ok) return SR_OK;
  return sr_fail(SR_ERR_RESOURCE, "no memory for %" PRIu64 " bytes of q, k, v, o and lse", info->tensor_bytes);
}

static sr_status fill_all(const sr_plan *plan, const sr_options *opt, const sr_plan_info *info, uint64_t seed,
                          sr_bench_tensors *t) {
  sr_rows q_rows, kv_rows;
  sr_plan_q_rows(plan, &q_rows);
  sr_plan_kv_rows(plan, &kv_rows);
  SR_TRY(sr_normal_fill(opt->dtype, 3 * seed, &q_rows, opt->q_heads * opt->head_dim, info->threads, t->q));
  SR_TRY(sr_normal_fill(opt->dtype, 3 * seed + 1, &kv_rows, opt->kv_heads * opt->head_dim, info->threads, t->k));
  return sr_normal_fill(opt->dtype, 3 * seed + 2, &kv_rows, opt->kv_heads * opt->value_dim, info->threads, t->v);
}

sr_status sr_bench_tensors_make(const sr_plan *plan, const sr_options *options, uint64_t seed,
                                sr_bench_tensors *tensors) {
  sr_plan_info info;
  sr_plan_describe(plan, &info);
  sr_bench_tensors_free(tensors);
  SR_TRY(allocate_all(options, &info, tensors));
  tensors->made_for = *options;
  tensors->balance = info.balance;
  uint64_t element = (uint64_t)info.kv_rows * (uint64_t)options->kv_heads * sr_dtype_size(options->dtype);
  tensors->k_bytes = element * (uint64_t)options->head_dim;
  tensors->v_bytes = element * (uint64_t)options->value_dim;
  return fill_all(plan, options, &info, seed, tensors);
}

void sr_bench_tensors_free(sr_bench_tensors *tensors) {
  sr_free(tensors->q);
  sr_free(tensors->k);
  sr_free(tensors->v);
  sr_free(tensors->o);
  sr_free(tensors->lse);
  *tensors = (sr_bench_tensors){0};
}
