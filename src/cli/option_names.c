/* The option whose name is nearest to a misspelt one. */
#include <stdint.h>

#include "nearest.h"
#include "options.h"

static const char *nearest(unsigned command, bool keys, const char *name) {
  const char *best = "";
  int least = INT32_MAX;
  for (int i = 0; i < sr_n_options; i++) {
    const sr_option *option = &sr_option_table[i];
    if (!(option->commands & command) || (keys ? !option->in_config : option->positional)) continue;
    int distance = sr_word_distance(name, option->name);
    if (distance < least) {
      least = distance;
      best = option->name;
    }
  }
  return best;
}

const char *sr_option_nearest(unsigned command, const char *name) {
  return nearest(command, false, name);
}

const char *sr_option_nearest_key(unsigned command, const char *key) {
  return nearest(command, true, key);
}
