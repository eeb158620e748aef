/* GPT-2's way to write any bytes as text: each byte is one printable character. */
#ifndef SR_MODEL_BYTE_ALPHABET_H
#define SR_MODEL_BYTE_ALPHABET_H

#include <stddef.h>
#include <stdint.h>

/* The bytes that a UTF-8 text of n bytes stands for, at most n; -1 for a text that has other characters. */
int64_t sr_byte_alphabet_decode(const char *text, size_t n, uint8_t *to);

#endif
