/* A foreign model as a description, a vocabulary, and weights by seqring's names. */
#ifndef SR_MODEL_IMPORT_H
#define SR_MODEL_IMPORT_H

#include "description.h"
#include "source.h"
#include "vocabulary.h"

/* How a family of models names the parts of a stack: the foreign name takes the place of "decoder.12.query" in
 * "decoder.12.query.weight". %d is the layer. */
typedef struct sr_naming {
  const char *part, *foreign;
} sr_naming;

typedef struct sr_import {
  sr_source source;
  sr_description description;
  sr_vocabulary vocabulary;
  sr_vocabulary source_vocabulary; /* as in sr_saved */
  const sr_naming *naming;         /* ends with part NULL; NULL: names are seqring's own */
  const char *const *left_out;     /* tensors that may be there and are not needed, or NULL; ends with NULL */
  char *tensors;                   /* path of a folder's tensors */
  int64_t n_weights;
  sr_weight_shape *weight;
  sr_source_tensor **tensor; /* [n_weights] where each comes from */
  const char *license;       /* as the source tells it, or NULL */
} sr_import;

/* Reads a GGUF file, a folder of Hugging Face's (config.json, model.safetensors, tokenizer.json), or one that is
 * described in import_own.c: all but the weights' elements. *import is to be closed in any case. path must stay.
 * Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_import_open(const char *path, sr_import *import);
void sr_import_close(sr_import *import);

/* Rows of a weight as float32. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_import_rows(const sr_import *import, int64_t weight, int64_t first, int64_t count, float *to);

/* For those who describe a family, from a source that is read: description, vocabulary and naming. */
sr_status sr_import_gguf(sr_import *import);
sr_status sr_import_folder(sr_import *import);
sr_status sr_import_own(sr_import *import);

#endif
