/* The tokens of a model, and how text becomes them: all that a tokenizer is made of, as data. */
#ifndef SR_MODEL_VOCABULARY_H
#define SR_MODEL_VOCABULARY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <seqring/status.h>

typedef enum sr_vocabulary_kind {
  SR_VOCABULARY_BPE,        /* byte pairs are merged, in the order of a list (Sennrich et al. 2016; on bytes: GPT-2) */
  SR_VOCABULARY_WORDPIECE,  /* the longest piece first (BERT) */
  SR_VOCABULARY_CHARACTERS, /* each character is a token; blanks may be left out */
  SR_VOCABULARY_WORDS       /* each word between blanks is one */
} sr_vocabulary_kind;

typedef enum sr_token_kind { SR_TOKEN_NORMAL, SR_TOKEN_CONTROL } sr_token_kind; /* CONTROL: no text becomes it */

enum { SR_VOCABULARY_PATTERNS = 4, SR_PATTERN_MAX = 512, SR_VOCABULARY_ENDS = 16 };

typedef struct sr_vocabulary {
  sr_vocabulary_kind kind;
  int64_t n;           /* tokens */
  uint8_t *bytes;      /* of all of them, one behind the other */
  int64_t *start;      /* [n + 1] where each begins */
  uint8_t *token;      /* [n] an sr_token_kind each */
  int64_t n_merges;    /* BPE */
  int32_t (*merge)[2]; /* [n_merges] the two tokens; the first pair that is found is merged first */

  /* How text is cut before it is tokenised. */
  int64_t n_patterns; /* BPE: regular expressions (PCRE2), each on the pieces that the one before it leaves */
  char pattern[SR_VOCABULARY_PATTERNS][SR_PATTERN_MAX];
  bool whole_pieces; /* BPE: a piece that is a token is that token, whatever the merges say */
  bool clean, split_han, lowercase, strip_accents; /* WordPiece: BERT's normalisation */
  int64_t longest_word;                            /* WordPiece: in characters; longer ones are unknown */
  int64_t unknown;                                 /* token, or -1, as the following ones */
  int64_t first, last;                             /* what stands in front of a text, and behind it */
  int64_t n_ends, end[SR_VOCABULARY_ENDS];         /* tokens each of which ends a text that a model makes */
} sr_vocabulary;

void sr_vocabulary_free(sr_vocabulary *vocabulary);

bool sr_vocabulary_is_end(const sr_vocabulary *vocabulary, int64_t token);

/* Adds tokens that end a text, of which some may be there already: an integer, -1 for none, or an array of such; NULL
 * and null add none. Errors: SR_ERR_INPUT when it is something else, or they are too many. */
sr_status sr_vocabulary_add_ends(const char *what, sr_vocabulary *vocabulary, const json_t *ends);

/* All but the tables as a JSON object, a new reference; NULL without memory. */
json_t *sr_vocabulary_to_json(const sr_vocabulary *vocabulary);

/* From one that nobody vouches for, and tables that are already there. Errors: SR_ERR_INPUT. */
sr_status sr_vocabulary_from_json(const char *what, const json_t *json, sr_vocabulary *vocabulary);

/* Whether its tables fit one another. Errors: SR_ERR_INPUT. */
sr_status sr_vocabulary_check(const char *what, const sr_vocabulary *vocabulary);

#endif
