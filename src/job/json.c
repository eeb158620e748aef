#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *sr_json_text(const char *text) {
  json_t *json = json_string(text);
  if (json) return json;
  char *ascii = strdup(text);
  if (!ascii) return NULL;
  for (char *at = ascii; *at; at++)
    if ((unsigned char)*at > 126) *at = '?';
  json = json_string(ascii);
  free(ascii);
  return json;
}

json_t *sr_json_number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *sr_json_dims(const int64_t *dims, int n) {
  json_t *array = json_array();
  for (int i = 0; array && i < n; i++)
    if (json_array_append_new(array, json_integer(dims[i]))) {
      json_decref(array);
      array = NULL;
    }
  return array;
}
