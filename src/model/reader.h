/* Little-endian numbers and texts out of a file that nobody vouches for: every length is checked before it is used. */
#ifndef SR_MODEL_READER_H
#define SR_MODEL_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <seqring/status.h>

/* A reader that has failed stays where it is, gives zeros, and keeps its status: look at it once, at the end. */
typedef struct sr_reader {
  FILE *file;
  const char *path; /* for messages */
  uint64_t at, size;
  sr_status status;
} sr_reader;

/* Fails, with the reason, unless it has failed before. */
void sr_reader_fail(sr_reader *reader, const char *why);

/* Reads that many bytes. */
void sr_reader_bytes(sr_reader *reader, void *to, uint64_t bytes);

uint8_t sr_reader_u8(sr_reader *reader);
uint16_t sr_reader_u16(sr_reader *reader);
uint32_t sr_reader_u32(sr_reader *reader);
uint64_t sr_reader_u64(sr_reader *reader);

/* Whether so many things of at least so many bytes each may still follow; fails where they cannot. */
bool sr_reader_holds(sr_reader *reader, uint64_t count, uint64_t bytes_each);

/* A text of that many bytes, with a NUL behind it; NULL on failure. The caller frees it. */
char *sr_reader_text(sr_reader *reader, uint64_t bytes);

#endif
