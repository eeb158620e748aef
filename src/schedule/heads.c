#include "heads.h"

#include "tokens.h"

sr_heads sr_heads_part(int64_t q_heads, int64_t kv_heads, int64_t parts, int64_t i) {
  const int64_t group = q_heads / kv_heads;
  if (parts <= kv_heads) {
    const int64_t first = sr_run_start(kv_heads, parts, i), count = sr_run_start(kv_heads, parts, i + 1) - first;
    return (sr_heads){first * group, count * group, first, count, true};
  }
  int64_t head = 0; /* its parts are from `from` to `to` */
  while (sr_run_start(parts, kv_heads, head + 1) <= i) head++;
  const int64_t from = sr_run_start(parts, kv_heads, head), to = sr_run_start(parts, kv_heads, head + 1);
  const int64_t first = sr_run_start(group, to - from, i - from), end = sr_run_start(group, to - from, i - from + 1);
  return (sr_heads){head * group + first, end - first, head, 1, i == from};
}
