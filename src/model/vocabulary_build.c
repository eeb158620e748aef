#include "vocabulary_build.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "byte_alphabet.h"

sr_status sr_vocabulary_reserve(sr_vocabulary *v, int64_t n, size_t bytes) {
  v->bytes = malloc(bytes + 1);
  v->start = calloc((size_t)n + 1, sizeof *v->start);
  v->token = calloc((size_t)n + 1, sizeof *v->token);
  return v->bytes && v->start && v->token ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory for %" PRId64 " tokens", n);
}

sr_status sr_vocabulary_add(const char *what, sr_vocabulary *v, const char *text, size_t n, sr_token_kind kind,
                            bool in_alphabet) {
  uint8_t *to = v->bytes + v->start[v->n];
  int64_t bytes = (int64_t)n;
  if (kind == SR_TOKEN_CONTROL || !in_alphabet)
    memcpy(to, text, n);
  else if ((bytes = sr_byte_alphabet_decode(text, n, to)) < 0)
    return sr_fail(SR_ERR_INPUT, "%s: token %" PRId64 " is not written in the alphabet of bytes", what, v->n);
  v->token[v->n] = (uint8_t)kind;
  v->start[v->n + 1] = v->start[v->n] + bytes;
  v->n++;
  return SR_OK;
}
