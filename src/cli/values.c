/* The words of options made into values and back. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include "base/error.h"
#include "options.h"

/* Where a value stands, as a message begins: "--scale" or "run.yaml: scale". */
typedef struct place {
  const char *where, *name;
} place;

static sr_status refuse(place at, const char *text, const char *expected) {
  return sr_fail(SR_ERR_ARGUMENT, "%s%s: must be %s, not '%.200s'", at.where, at.name, expected, text);
}

static bool parse_integer(const char *text, char stop, int64_t *value, const char **end) {
  if (*text != '-' && (*text < '0' || *text > '9')) return false;
  char *after;
  errno = 0;
  *value = strtoll(text, &after, 10);
  *end = after;
  return after != text && *after == stop && errno == 0;
}

static sr_status set_flag(place at, const char *text, bool *value) {
  static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
  for (int i = 0; i < 3; i++) {
    if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
      *value = !strcmp(text, yes[i]);
      return SR_OK;
    }
  }
  return refuse(at, text, "true, false, yes, no, on or off");
}

static sr_status set_path(place at, const char *text, char *value) {
  if (!*text) return sr_fail(SR_ERR_ARGUMENT, "%s%s: the name is empty", at.where, at.name);
  if (strlen(text) >= SR_PATH_MAX)
    return sr_fail(SR_ERR_ARGUMENT, "%s%s: the name is longer than %d bytes", at.where, at.name, SR_PATH_MAX - 1);
  strcpy(value, text);
  return SR_OK;
}

static sr_status set_paths(place at, const char *text, char *value) {
  if (!*text || *text == '\n' || strstr(text, "\n\n"))
    return sr_fail(SR_ERR_ARGUMENT, "%s%s: a name is empty", at.where, at.name);
  if (strlen(text) >= SR_PATHS_MAX)
    return sr_fail(SR_ERR_ARGUMENT, "%s%s: the names have more than %d bytes", at.where, at.name, SR_PATHS_MAX - 1);
  strcpy(value, text);
  char *last = value + strlen(value) - 1;
  if (*last == '\n') *last = '\0'; /* of a block in a configuration */
  return SR_OK;
}

static sr_status set_integer(const sr_option *option, place at, const char *text, int64_t *value) {
  int64_t number;
  const char *end;
  if (option->automatic && !strcmp(text, option->automatic)) {
    *value = option->automatic_value;
    return SR_OK;
  }
  if (!parse_integer(text, '\0', &number, &end) || number < option->min || number > option->max) {
    char expected[128];
    snprintf(expected, sizeof expected, "%s%s%sa whole number from %" PRId64 " to %" PRId64,
             option->automatic ? "'" : "", option->automatic ? option->automatic : "", option->automatic ? "' or " : "",
             option->min, option->max);
    return refuse(at, text, expected);
  }
  *value = number;
  return SR_OK;
}

static sr_status set_real(const sr_option *option, place at, const char *text, double *value) {
  if (option->automatic && !strcmp(text, option->automatic)) {
    *value = NAN;
    return SR_OK;
  }
  char *end = NULL;
  double number = 0;
  bool plain = *text && strspn(text, "0123456789+-.eE") == strlen(text); /* no blanks, hexadecimals, "inf" or "nan" */
  if (plain) number = strtod(text, &end);
  if (!plain || *end || !isfinite(number)) return refuse(at, text, "a finite number such as 0.125");
  *value = number;
  return SR_OK;
}

static sr_status set_window(const sr_option *option, place at, const char *text, int64_t value[2]) {
  int64_t side[2];
  const char *end;
  bool good = parse_integer(text, ',', &side[0], &end) && parse_integer(end + 1, '\0', &side[1], &end);
  for (int i = 0; good && i < 2; i++) good = side[i] >= option->min && side[i] <= option->max;
  if (!good) {
    char expected[128];
    snprintf(expected, sizeof expected, "L,R: two whole numbers from %" PRId64 " to %" PRId64 ", such as 1023,0",
             option->min, option->max);
    return refuse(at, text, expected);
  }
  memcpy(value, side, sizeof side);
  return SR_OK;
}

static sr_status set_list(place at, const char *text, char value[SR_LIST_MAX]) {
  if (strlen(text) >= SR_LIST_MAX)
    return sr_fail(SR_ERR_ARGUMENT, "%s%s: the list is longer than %d bytes", at.where, at.name, SR_LIST_MAX - 1);
  strcpy(value, text);
  return SR_OK;
}

static sr_status set_choice(const sr_option *option, place at, const char *text, int *value) {
  char expected[128] = "";
  for (int i = 0; option->choice[i]; i++) {
    if (!strcmp(text, option->choice[i])) {
      *value = i + option->first_choice;
      return SR_OK;
    }
    size_t used = strlen(expected);
    const char *joint = i == 0 ? "" : option->choice[i + 1] ? ", " : " or ";
    snprintf(expected + used, sizeof expected - used, "%s%s", joint, option->choice[i]);
  }
  return refuse(at, text, expected);
}

static sr_status set_strategy(place at, const char *text, sr_strategy_words *value) {
  if (sr_strategy_read(text, value)) return SR_OK;
  return refuse(at, text, "auto, ring, window, node, ulysses, hybrid, hybrid:UxR such as hybrid:4x2, or decode");
}

sr_status sr_option_set(const sr_option *option, const char *where, const char *text, sr_settings *settings) {
  void *setting = (char *)settings + option->offset;
  place at = {.where = where, .name = option->name};
  switch (option->kind) {
  case SR_KIND_FLAG:
    return set_flag(at, text, setting);
  case SR_KIND_PATH:
    return set_path(at, text, setting);
  case SR_KIND_PATHS:
    return set_paths(at, text, setting);
  case SR_KIND_INTEGER:
    return set_integer(option, at, text, setting);
  case SR_KIND_REAL:
    return set_real(option, at, text, setting);
  case SR_KIND_WINDOW:
    return set_window(option, at, text, setting);
  case SR_KIND_LIST:
    return set_list(at, text, setting);
  case SR_KIND_STRATEGY:
    return set_strategy(at, text, setting);
  case SR_KIND_CHOICE:
    return set_choice(option, at, text, setting);
  }
  return sr_fail(SR_ERR_INTERNAL, "the option table has no kind %d", (int)option->kind);
}

void sr_option_text(const sr_option *option, const sr_settings *settings, char text[SR_VALUE_TEXT]) {
  const void *setting = (const char *)settings + option->offset;
  const int64_t *integer = setting;
  switch (option->kind) {
  case SR_KIND_FLAG:
    snprintf(text, SR_VALUE_TEXT, "%s", *(const bool *)setting ? "yes" : "no");
    break;
  case SR_KIND_PATH:
  case SR_KIND_PATHS:
  case SR_KIND_LIST:
    snprintf(text, SR_VALUE_TEXT, "%s", (const char *)setting);
    break;
  case SR_KIND_INTEGER:
    if (option->automatic && *integer == option->automatic_value)
      snprintf(text, SR_VALUE_TEXT, "%s", option->automatic);
    else
      snprintf(text, SR_VALUE_TEXT, "%" PRId64, *integer);
    break;
  case SR_KIND_REAL:
    if (isnan(*(const double *)setting))
      snprintf(text, SR_VALUE_TEXT, "%s", option->automatic);
    else
      snprintf(text, SR_VALUE_TEXT, "%.17g", *(const double *)setting);
    break;
  case SR_KIND_WINDOW:
    snprintf(text, SR_VALUE_TEXT, "%" PRId64 ",%" PRId64, integer[0], integer[1]);
    break;
  case SR_KIND_STRATEGY:
    sr_strategy_write(setting, text);
    break;
  case SR_KIND_CHOICE:
    snprintf(text, SR_VALUE_TEXT, "%s", option->choice[*(const int *)setting - option->first_choice]);
    break;
  }
}
