#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "launcher.h"
#include "text.h"

/* Seconds between two changes of the line. */
#define PERIOD 0.2

bool sr_progress_is_seen(void) {
  if (isatty(STDERR_FILENO)) return true;
  if (sr_launcher_rank() < 0) return false;
  char link[64], target[64];
  snprintf(link, sizeof link, "/proc/%d/fd/2", (int)getppid());
  ssize_t length = readlink(link, target, sizeof target - 1);
  if (length < 0) return false;
  target[length] = '\0';
  return !strncmp(target, "/dev/pts/", 9) || !strncmp(target, "/dev/tty", 8);
}

void sr_progress_start(sr_progress *progress, int64_t tokens) {
  progress->start = progress->last = sr_now();
  progress->tokens = tokens;
}

void sr_progress_update(sr_progress *progress, int64_t done, int64_t total) {
  double now = sr_now();
  if (!progress->shown || done < 1 || total < 1 || now - progress->last < PERIOD) return;
  progress->last = now;
  double share = (double)done / (double)total, spent = now - progress->start;
  char tokens[SR_NUMBER_TEXT], rate[SR_NUMBER_TEXT], left[SR_NUMBER_TEXT];
  fprintf(stderr, "\r\033[K%3.0f%%  %s of %lld tokens  %stokens/s  %s left", 100 * share,
          sr_text_metric(share * (double)progress->tokens, tokens), (long long)progress->tokens,
          sr_text_metric(share * (double)progress->tokens / spent, rate),
          sr_text_seconds(spent * (1 - share) / share, left));
  fflush(stderr);
}

void sr_progress_end(sr_progress *progress) {
  if (!progress->shown) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
}
