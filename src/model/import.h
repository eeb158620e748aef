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
  const char *const *left_out; /* tensors that may be there and are not needed, ".x" being all that end so; ends with
                                  NULL; NULL where there are none */
  char *tensors;               /* path of a folder's tensors */
  int64_t n_weights;
  sr_weight_shape *weight;
  sr_source_tensor **tensor; /* [n_weights] where each comes from; NULL: rotary_factors */
  float *rotary_factors;     /* [rotary_width / 2] where they are worked out, or NULL */
  const char *license;       /* as the source tells it, or NULL */
} sr_import;

/* Reads a GGUF file, a folder of Hugging Face's (config.json, model.safetensors, tokenizer.json), or one that is
 * described in import_own.c: all but the weights' elements. *import is to be closed in any case. path must stay.
 * Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_import_open(const char *path, sr_import *import);
void sr_import_close(sr_import *import);

/* Whether a file is one of those that are read of a folder. */
bool sr_import_reads(const char *path, const char *file);

/* Rows of a weight as float32. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_import_rows(const sr_import *import, int64_t weight, int64_t first, int64_t count, float *to);

/* How the frequencies of rotary positions are divided. */
typedef struct sr_scaling {
  double factor;
  double low, high; /* by turns within a context: fewer than low are divided by factor, more than high stay */
  double context;   /* 0: all are divided by factor */
} sr_scaling;

sr_scaling sr_scaling_linear(double factor);

/* Divides the frequencies of the decoder, which is described but for that. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_import_scale(sr_import *import, sr_scaling scaling);

/* For those who describe a family, from a source that is read: description, vocabulary and naming. */
sr_status sr_import_gguf(sr_import *import);
sr_status sr_import_folder(sr_import *import);
sr_status sr_import_own(sr_import *import);

#endif
