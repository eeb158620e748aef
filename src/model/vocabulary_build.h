/* Puts a vocabulary together, token by token. */
#ifndef SR_MODEL_VOCABULARY_BUILD_H
#define SR_MODEL_VOCABULARY_BUILD_H

#include "vocabulary.h"

/* Room for n tokens of so many bytes in all. Errors: SR_ERR_RESOURCE. */
sr_status sr_vocabulary_reserve(sr_vocabulary *vocabulary, int64_t n, size_t bytes);

/* The next token: its text as it is for a control token, or where in_alphabet is false, else the bytes that it stands
 * for in GPT-2's alphabet. what names the file. Errors: SR_ERR_INPUT. */
sr_status sr_vocabulary_add(const char *what, sr_vocabulary *vocabulary, const char *text, size_t n, sr_token_kind kind,
                            bool in_alphabet);

/* GPT-2's pattern: words with the blank before them, numbers, signs, blanks. */
#define SR_PATTERN_GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* Fills in the merges of a vocabulary, whose tokens have texts [n] in the file: each is "a b" or ["a", "b"], the texts
 * of two tokens. Errors: SR_ERR_INPUT, SR_ERR_RESOURCE. */
sr_status sr_vocabulary_merge(const char *what, sr_vocabulary *vocabulary, const char *const *text,
                              const json_t *merges);

#endif
