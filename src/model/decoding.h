/* A decoder that goes on after a text, token by token. Keys and values of all layers stay with the ranks that they are
 * dealt to; each new token's queries travel to all of them. */
#ifndef SR_MODEL_DECODING_H
#define SR_MODEL_DECODING_H

#include "stack.h"

typedef struct sr_decoding sr_decoding;

/* Makes all that a text, and what follows it up to spec->sequence.room tokens, needs. The text is one document.
 * Collective; *decoding is NULL on failure. Errors: as those of sr_stack_create. */
sr_status sr_decoding_create(MPI_Comm comm, const sr_stack_spec *spec, sr_decoding **decoding);
void sr_decoding_destroy(sr_decoding **decoding);

/* Reads the text, ids [tokens] on all ranks; then takes one token more, as long as there is room. Collective. Errors:
 * SR_ERR_MPI. */
sr_status sr_decoding_read(sr_decoding *decoding, const int32_t *ids);
sr_status sr_decoding_take(sr_decoding *decoding, int32_t id);

/* On rank 0: logits [vocabulary] of the token that follows. Not collective. */
void sr_decoding_logits(const sr_decoding *decoding, float *logit);

#endif
