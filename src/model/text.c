#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"

bool sr_numbers_add(sr_numbers *numbers, int64_t number) {
  int64_t *more = sr_grow(numbers->number, numbers->n, &numbers->room, sizeof *more);
  if (!more) return false;
  numbers->number = more;
  numbers->number[numbers->n++] = number;
  return true;
}

static bool is_blank(int c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether a new part begins with a byte, which is the next one. */
static bool begins_line(sr_cutter *cutter, int c) {
  const bool begins = cutter->ended;
  cutter->ended = c == '\n';
  return begins;
}

static bool begins_paragraph(sr_cutter *cutter, int c) {
  if (is_blank(c)) {
    cutter->ended |= c == '\n' && cutter->any && !cutter->visible;
    cutter->visible &= c != '\n';
    return false;
  }
  const bool begins = cutter->ended;
  cutter->any = cutter->visible = true;
  cutter->ended = false;
  return begins;
}

/* file: the byte is the first of its file. */
static bool begins(sr_cutter *cutter, bool file, int c) {
  if (file) *cutter = (sr_cutter){.cut = cutter->cut};
  const bool inside = cutter->cut == SR_CUT_LINE        ? begins_line(cutter, c)
                      : cutter->cut == SR_CUT_PARAGRAPH ? begins_paragraph(cutter, c)
                                                        : false;
  return inside || (file && cutter->cut != SR_CUT_NEVER);
}

static sr_status open_file(sr_text *t, const char *path) {
  struct stat about;
  t->file = strcmp(path, "-") ? fopen(path, "rbe") : stdin;
  t->begins = true;
  if (!t->file) return sr_fail(SR_ERR_INPUT, "%s: the text cannot be opened: %s", path, strerror(errno));
  if (fstat(fileno(t->file), &about)) return sr_fail(SR_ERR_INPUT, "%s: it cannot be read: %s", path, strerror(errno));
  if (S_ISDIR(about.st_mode)) return sr_fail(SR_ERR_INPUT, "%s: it is a directory and no text", path);
  return SR_OK;
}

static void close_file(sr_text *t) {
  if (t->file && t->file != stdin) fclose(t->file);
  free(t->what);
  t->file = NULL, t->what = NULL;
}

char *sr_text_next_path(const char **paths) {
  const size_t length = strcspn(*paths, "\n");
  char *path = strndup(*paths, length);
  *paths += length + ((*paths)[length] == '\n');
  return path;
}

static sr_status no_memory_for_name(void) {
  return sr_fail(SR_ERR_RESOURCE, "no memory for the name of a text");
}

/* Opens the next of the files. */
static sr_status open_next(sr_text *t) {
  t->what = sr_text_next_path(&t->paths);
  if (!t->what) return no_memory_for_name();
  return open_file(t, t->what);
}

sr_status sr_text_open(const char *paths, sr_cut document, sr_cut unit, sr_text *t) {
  *t = (sr_text){.paths = paths, .document.cut = document, .unit.cut = unit, .held = EOF};
  return open_next(t);
}

void sr_text_close(sr_text *t) {
  close_file(t);
  free(t->units.number);
  t->units = (sr_numbers){0};
}

/* The next byte of all files, or EOF. */
static sr_status next_byte(sr_text *t, int *c) {
  while ((*c = getc_unlocked(t->file)) == EOF) {
    if (ferror(t->file)) return sr_fail(SR_ERR_INPUT, "%s: it cannot be read: %s", t->what, strerror(errno));
    if (t->begins && t->refuses_empty) return sr_fail(SR_ERR_INPUT, "%s: the text is empty", t->what);
    if (!*t->paths) return SR_OK;
    close_file(t);
    SR_TRY(open_next(t));
  }
  return SR_OK;
}

static sr_status note_unit(sr_text *t) {
  const bool noted = sr_numbers_add(&t->units, t->offset);
  return noted ? SR_OK : sr_fail(SR_ERR_RESOURCE, "%s: no memory for where its parts begin", t->what);
}

sr_status sr_text_next(sr_text *t, bool *more) {
  if (t->held == EOF) {
    SR_TRY(next_byte(t, &t->held));
    if (t->held != EOF) begins(&t->document, t->begins, t->held);
  }
  *more = t->held != EOF;
  t->ended = !*more;
  return *more ? note_unit(t) : SR_OK;
}

/* Takes the byte that is held into the document at hand. */
static uint8_t take_held(sr_text *t) {
  const int c = t->held;
  begins(&t->unit, t->begins, c);
  t->begins = false;
  t->held = EOF;
  t->offset++;
  return (uint8_t)c;
}

sr_status sr_text_read(sr_text *t, uint8_t *to, size_t n, size_t *got) {
  *got = 0;
  if (t->ended) return SR_OK;
  if (t->held != EOF && n > 0) to[(*got)++] = take_held(t);
  while (*got < n) {
    int c;
    SR_TRY(next_byte(t, &c));
    t->ended = c == EOF || begins(&t->document, t->begins, c);
    if (t->ended) {
      t->held = c;
      return SR_OK;
    }
    if (begins(&t->unit, t->begins, c)) SR_TRY(note_unit(t));
    t->begins = false;
    t->offset++;
    to[(*got)++] = (uint8_t)c;
  }
  return SR_OK;
}

/* Of one file, as far as the offset is in it; *offset becomes that in the files behind it, or -1 where it is not known
 * how long the file was. */
static sr_status read_part(const char *path, int64_t *offset, char *to, size_t n, size_t *got) {
  struct stat about;
  if (stat(path, &about) || !S_ISREG(about.st_mode)) {
    *offset = -1;
    return SR_OK;
  }
  if (*offset >= about.st_size) {
    *offset -= about.st_size;
    return SR_OK;
  }
  FILE *file = fopen(path, "rbe");
  if (!file || fseeko(file, *offset, SEEK_SET)) {
    sr_status status = sr_fail(SR_ERR_INPUT, "%s: it cannot be read again: %s", path, strerror(errno));
    if (file) fclose(file);
    return status;
  }
  *got = fread(to, 1, n, file);
  fclose(file);
  return SR_OK;
}

sr_status sr_text_excerpt(const char *paths, int64_t offset, char *to, size_t n, size_t *got) {
  *got = 0;
  while (*paths && *got == 0 && offset >= 0) {
    char *path = sr_text_next_path(&paths);
    if (!path) return no_memory_for_name();
    sr_status status = read_part(path, &offset, to, n, got);
    free(path);
    if (status != SR_OK) return status;
  }
  return SR_OK;
}
