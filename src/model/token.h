/* Where tokens go. */
#ifndef SR_MODEL_TOKEN_H
#define SR_MODEL_TOKEN_H

#include <stdint.h>

#include <seqring/status.h>

typedef struct sr_token_sink {
  sr_status (*take)(void *data, int32_t token, int64_t offset); /* offset: of its first byte in the text */
  void *data;
} sr_token_sink;

#endif
