/* What stands where in a model file, besides the weights: HDF5 with one dataset a weight, by its name in
 * description.h. */
#ifndef SR_MODEL_MODEL_NAMES_H
#define SR_MODEL_MODEL_NAMES_H

/* Attributes of the root group: what the file is, and the description and the tokenizer's settings in JSON. */
#define SR_MODEL_FORMAT  "format"
#define SR_MODEL_VERSION "seqring model 1"
#define SR_MODEL_TEXT    "model"

/* Behind the name of a weight of int8: its rows' scales. */
#define SR_MODEL_SCALE ".scale"

/* The tokenizer of texts, and that of an encoder's beside a decoder: keys of their settings, and what the names of
 * their tables begin with. */
#define SR_MODEL_TOKENIZER        "tokenizer"
#define SR_MODEL_SOURCE_TOKENIZER "source_tokenizer"

/* Behind that: the tables. */
#define SR_MODEL_TOKEN_BYTES  ".bytes"
#define SR_MODEL_TOKEN_STARTS ".starts"
#define SR_MODEL_TOKEN_KINDS  ".kinds"
#define SR_MODEL_MERGES       ".merges"

#endif
