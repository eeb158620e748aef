#include "cleanup.h"

#include <seqring/io.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static char path_of[SR_N_CLEANUPS][SR_PATH_MAX + 256];
static volatile sig_atomic_t is_set[SR_N_CLEANUPS];

static void end(int signal_number) {
  for (int i = 0; i < SR_N_CLEANUPS; i++)
    if (is_set[i]) unlink(path_of[i]);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

void sr_cleanup_install(void) {
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGUSR1, SIGUSR2, SIGALRM};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    struct sigaction old, new = {.sa_handler = end};
    sigemptyset(&new.sa_mask);
    if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN) sigaction(signals[i], &new, NULL);
  }
  signal(SIGXFSZ, SIG_IGN); /* writing past a limit on file sizes then fails with EFBIG, */
  signal(SIGPIPE, SIG_IGN); /* and to where nobody reads with EPIPE: a warning must not end what is half done */
}

void sr_cleanup_set(sr_cleanup which, const char *path) {
  is_set[which] = 0;
  if (!path || strlen(path) >= sizeof path_of[which]) return;
  strcpy(path_of[which], path);
  is_set[which] = 1;
}
