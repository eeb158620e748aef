#include "byte_alphabet.h"

#include <stdbool.h>
#include <utf8proc.h>

/* Printable characters of Latin-1 stand for themselves. */
static bool is_printable(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

/* The others are written, in ascending order, as the characters from 256 on. */
static int byte_of(int32_t character) {
  if (character < 256) return is_printable(character) ? character : -1;
  for (int byte = 0, next = 256; byte < 256; byte++)
    if (!is_printable(byte) && next++ == character) return byte;
  return -1;
}

int64_t sr_byte_alphabet_decode(const char *text, size_t n, uint8_t *to) {
  int64_t bytes = 0;
  for (size_t at = 0; at < n;) {
    int32_t character;
    const utf8proc_ssize_t length =
        utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(n - at), &character);
    const int byte = length > 0 ? byte_of(character) : -1;
    if (byte < 0) return -1;
    to[bytes++] = (uint8_t)byte;
    at += (size_t)length;
  }
  return bytes;
}
