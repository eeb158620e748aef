#include "nearest.h"

#include <string.h>

/* Letters of a word that are compared; names are shorter. */
enum { LENGTH = 40 };

static int least(int a, int b) {
  return a < b ? a : b;
}

/* Optimal string alignment; three rows of the table are enough. */
int sr_word_distance(const char *word, const char *meant) {
  if (*word && !strncmp(word, meant, strlen(word))) return 0;
  int n = (int)strnlen(word, LENGTH), m = (int)strnlen(meant, LENGTH);
  int before[LENGTH + 1], above[LENGTH + 1], row[LENGTH + 1];
  for (int j = 0; j <= m; j++) row[j] = j;
  for (int i = 1; i <= n; i++) {
    memcpy(before, above, sizeof above);
    memcpy(above, row, sizeof row);
    row[0] = i;
    for (int j = 1; j <= m; j++) {
      row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (word[i - 1] != meant[j - 1]));
      if (i > 1 && j > 1 && word[i - 1] == meant[j - 2] && word[i - 2] == meant[j - 1])
        row[j] = least(row[j], before[j - 2] + 1);
    }
  }
  return row[m];
}
