/* A model file of seqring's: description, vocabulary, and where the weights lie. */
#ifndef SR_MODEL_SAVED_H
#define SR_MODEL_SAVED_H

#include "description.h"
#include "io/model_file.h"
#include "vocabulary.h"

typedef struct sr_saved {
  sr_model_file file;
  sr_description description;
  sr_vocabulary vocabulary;
  sr_vocabulary source_vocabulary; /* of what an encoder reads for a decoder; n is 0 where there are not both */
  int64_t n_weights;
  sr_weight_shape *weight;
} sr_saved;

/* Opens a model file, which must have every weight of its description, in its shape, and no other dataset. *saved is to
 * be closed in any case; path must stay. Not collective; call it before MPI_Init, since it forks. Errors: SR_ERR_INPUT,
 * SR_ERR_RESOURCE. */
sr_status sr_saved_open(const char *path, sr_saved *saved);
void sr_saved_close(sr_saved *saved);

/* Opens on all ranks what rank 0 has opened. Collective. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_saved_share(MPI_Comm comm, const char *path, sr_saved *saved);

#endif
