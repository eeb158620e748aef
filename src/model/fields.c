#include "fields.h"

#include <string.h>

#include "base/error.h"

static json_t *to_json(const sr_field *f, const void *from) {
  const char *at = (const char *)from + f->offset;
  switch (f->kind) {
  case SR_FIELD_INTEGER:
    return json_integer(*(const int64_t *)at);
  case SR_FIELD_REAL:
    return json_real(*(const double *)at);
  case SR_FIELD_FLAG:
    return json_boolean(*(const bool *)at);
  default:
    return json_string(f->choice[*(const int *)at]);
  }
}

bool sr_fields_to_json(const sr_field *table, int n, const void *from, json_t *json) {
  for (int i = 0; i < n; i++)
    if (json_object_set_new(json, table[i].name, to_json(&table[i], from))) return false;
  return true;
}

/* The place of a word in a list; -1 when it is not there. */
static int find_word(const char *const *list, const json_t *word) {
  for (int i = 0; json_is_string(word) && list[i]; i++)
    if (!strcmp(list[i], json_string_value(word))) return i;
  return -1;
}

/* Whether a number is in its range; others are always. */
static bool is_possible(const sr_field *f, const void *from) {
  const char *at = (const char *)from + f->offset;
  if (f->kind == SR_FIELD_INTEGER) {
    const double number = (double)*(const int64_t *)at;
    return number >= f->least && number <= f->most;
  }
  return f->kind != SR_FIELD_REAL || (*(const double *)at >= f->least && *(const double *)at <= f->most);
}

static bool from_json(const sr_field *f, const json_t *value, void *to) {
  char *at = (char *)to + f->offset;
  switch (f->kind) {
  case SR_FIELD_INTEGER:
    *(int64_t *)at = json_integer_value(value);
    return json_is_integer(value) && is_possible(f, to);
  case SR_FIELD_REAL:
    *(double *)at = json_number_value(value);
    return json_is_number(value) && is_possible(f, to);
  case SR_FIELD_FLAG:
    *(bool *)at = json_is_true(value);
    return json_is_boolean(value);
  default:
    return (*(int *)at = find_word(f->choice, value)) >= 0;
  }
}

sr_status sr_fields_check(const char *what, const char *name, const sr_field *table, int n, const void *from) {
  for (int i = 0; i < n; i++)
    if (!is_possible(&table[i], from))
      return sr_fail(SR_ERR_INPUT, "%s: '%s.%s' is out of range", what, name, table[i].name);
  return SR_OK;
}

sr_status sr_fields_from_json(const char *what, const char *name, const sr_field *table, int n, const json_t *json,
                              void *to) {
  if (!json_is_object(json)) return sr_fail(SR_ERR_INPUT, "%s: '%s' is no object", what, name);
  for (int i = 0; i < n; i++)
    if (!from_json(&table[i], json_object_get(json, table[i].name), to))
      return sr_fail(SR_ERR_INPUT, "%s: '%s.%s' is missing, or not possible", what, name, table[i].name);
  return SR_OK;
}
