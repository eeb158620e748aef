#include "reader.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void sr_reader_fail(sr_reader *reader, const char *why) {
  if (reader->status != SR_OK) return;
  reader->status = sr_fail(SR_ERR_INPUT, "%s: at byte %" PRIu64 ": %s", reader->path, reader->at, why);
}

bool sr_reader_holds(sr_reader *reader, uint64_t count, uint64_t bytes_each) {
  if (reader->status == SR_OK && count <= (reader->size - reader->at) / bytes_each) return true;
  sr_reader_fail(reader, "the file is cut short, or damaged");
  return false;
}

void sr_reader_bytes(sr_reader *reader, void *to, uint64_t bytes) {
  if (!sr_reader_holds(reader, bytes, 1)) {
    memset(to, 0, bytes);
    return;
  }
  if (fread(to, 1, bytes, reader->file) != bytes) sr_reader_fail(reader, "it cannot be read");
  reader->at += bytes;
}

uint8_t sr_reader_u8(sr_reader *reader) {
  uint8_t value = 0;
  sr_reader_bytes(reader, &value, sizeof value);
  return value;
}

uint16_t sr_reader_u16(sr_reader *reader) {
  uint16_t value = 0;
  sr_reader_bytes(reader, &value, sizeof value);
  return le16toh(value);
}

uint32_t sr_reader_u32(sr_reader *reader) {
  uint32_t value = 0;
  sr_reader_bytes(reader, &value, sizeof value);
  return le32toh(value);
}

uint64_t sr_reader_u64(sr_reader *reader) {
  uint64_t value = 0;
  sr_reader_bytes(reader, &value, sizeof value);
  return le64toh(value);
}

char *sr_reader_text(sr_reader *reader, uint64_t bytes) {
  if (!sr_reader_holds(reader, bytes, 1)) return NULL;
  char *text = malloc(bytes + 1);
  if (!text) {
    reader->status = sr_fail(SR_ERR_RESOURCE, "%s: no memory for a text of %" PRIu64 " bytes", reader->path, bytes);
    return NULL;
  }
  sr_reader_bytes(reader, text, bytes);
  text[bytes] = '\0';
  return text;
}
