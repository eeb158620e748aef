#include "text.h"

#include <string.h>

static const char *scaled(double value, double step, const char *const *unit, int n_units, char text[SR_NUMBER_TEXT]) {
  int i = 0;
  while (i + 1 < n_units && value >= step * 0.9995) {
    value /= step;
    i++;
  }
  int digits = i == 0 && value == (double)(int64_t)value ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  snprintf(text, SR_NUMBER_TEXT, "%.*f %s", digits, value, unit[i]);
  return text;
}

const char *sr_text_bytes(double bytes, char text[SR_NUMBER_TEXT]) {
  static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  return scaled(bytes, 1024, unit, 7, text);
}

const char *sr_text_metric(double value, char text[SR_NUMBER_TEXT]) {
  static const char *const unit[] = {"", "k", "M", "G", "T", "P", "E"};
  return scaled(value, 1000, unit, 7, text);
}

const char *sr_text_seconds(double seconds, char text[SR_NUMBER_TEXT]) {
  static const char *const unit[] = {"us", "ms", "s"};
  if (seconds < 99.95) return scaled(seconds * 1e6, 1000, unit, 3, text);
  int64_t whole = (int64_t)(seconds + 0.5), minutes = whole / 60, hours = minutes / 60;
  if (hours > 0)
    snprintf(text, SR_NUMBER_TEXT, "%d h %02d min", (int)hours, (int)(minutes % 60));
  else
    snprintf(text, SR_NUMBER_TEXT, "%d min %02d s", (int)minutes, (int)(whole % 60));
  return text;
}

void sr_text_wrap(FILE *file, const char *text, int column, int indent, int width) {
  int first = column;
  while (*text) {
    int length = (int)strcspn(text, " ");
    if (column > first && column + 1 + length > width) {
      fprintf(file, "\n%*s", indent, "");
      column = first = indent;
    } else if (column > first) {
      fputc(' ', file);
      column++;
    }
    fprintf(file, "%.*s", length, text);
    column += length;
    text += length;
    text += strspn(text, " ");
  }
  fputc('\n', file);
}

void sr_text_foreign(FILE *file, const char *text) {
  for (; *text; text++) fputc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text, file);
}
