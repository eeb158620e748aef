#include <seqring/distribution.h>
#include <stddef.h>

static const char *name_of(const char *const *name, size_t n, int value) {
  return value >= 0 && (size_t)value < n ? name[value] : "?";
}

const char *sr_strategy_name(sr_strategy strategy) {
  static const char *const name[] = {"auto", "ring", "window", "node", "decode"};
  return name_of(name, sizeof name / sizeof *name, (int)strategy);
}

const char *sr_balance_name(sr_balance balance) {
  static const char *const name[] = {"auto", "contiguous", "zigzag", "weighted"};
  return name_of(name, sizeof name / sizeof *name, (int)balance);
}
