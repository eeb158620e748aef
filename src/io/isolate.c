#include "isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "file.h"

/* Goes through the pipe ahead of the result. */
typedef struct verdict {
  uint32_t magic;
  int32_t status;
  char text[SR_ERROR_TEXT];
} verdict;

enum { MAGIC = 0x53524956 };

typedef enum arrival { ARRIVED, CUT_SHORT, TOO_LATE } arrival;

int sr_isolate_seconds(uint64_t bytes) {
  enum { LEAST = 6, MOST = 300 };
  const uint64_t more = bytes >> 29;
  return more < MOST - LEAST ? LEAST + (int)more : MOST;
}

/* Holes cost nothing, and give no time. */
static int seconds_for(const char *path) {
  struct stat about;
  if (stat(path, &about)) return sr_isolate_seconds(0);
  const uint64_t size = (uint64_t)about.st_size, stored = (uint64_t)about.st_blocks * 512;
  return sr_isolate_seconds(size < stored ? size : stored);
}

static void limit(int what, rlim_t value) {
  struct rlimit now;
  if (getrlimit((__rlimit_resource_t)what, &now)) return;
  if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) value = now.rlim_max;
  setrlimit((__rlimit_resource_t)what, &(struct rlimit){.rlim_cur = value, .rlim_max = value});
}

/* The sanitizers reserve terabytes of address space, which a limit on it would not allow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static void limit_memory(void) {}
#else
static void limit_memory(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  if (file) {
    if (fscanf(file, "%lu", &pages) != 1) pages = 0;
    fclose(file);
  }
  limit(RLIMIT_AS, (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + SR_ISOLATE_MEMORY);
}
#endif

static void default_signals(void) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void be_quiet(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (int fd = 0; fd <= 2; fd++) dup2(null, fd);
}

static bool send_all(int fd, const void *data, size_t bytes) {
  const char *at = data;
  while (bytes > 0) {
    ssize_t n = write(fd, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= (size_t)n;
  }
  return true;
}

static _Noreturn void be_child(int to, int seconds, sr_isolated_fn *fn, const void *request, void *result,
                               size_t size) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  default_signals();
  if (to <= 2) to = fcntl(to, F_DUPFD_CLOEXEC, 3);
  be_quiet();
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CPU, (rlim_t)seconds - 1);
  limit_memory();
  verdict mine = {.magic = MAGIC, .status = (int32_t)fn(request, result)};
  if (mine.status != SR_OK) strncpy(mine.text, sr_error_text(), sizeof mine.text - 1);
  bool sent = send_all(to, &mine, sizeof mine) && send_all(to, result, size);
  _exit(sent ? 0 : 1);
}

static arrival receive_all(int from, void *data, size_t bytes, double deadline) {
  char *at = data;
  while (bytes > 0) {
    double left = deadline - sr_now();
    if (left <= 0) return TOO_LATE;
    int ready = poll(&(struct pollfd){.fd = from, .events = POLLIN}, 1, (int)(left * 1000) + 1);
    if (ready < 0 && errno != EINTR) return CUT_SHORT;
    if (ready <= 0) continue;
    ssize_t n = read(from, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return CUT_SHORT;
    at += n;
    bytes -= (size_t)n;
  }
  return ARRIVED;
}

static sr_status say_how_it_died(const char *path, int how) {
  const char *shown = sr_shown(path);
  if (WIFSIGNALED(how) && (WTERMSIG(how) == SIGXCPU || WTERMSIG(how) == SIGKILL))
    return sr_fail(SR_ERR_INPUT,
                   "%s: the HDF5 library was stopped (signal %d) while looking at it, having taken too much time or "
                   "memory: the file is damaged or malicious",
                   shown, WTERMSIG(how));
  if (WIFSIGNALED(how))
    return sr_fail(SR_ERR_INPUT,
                   "%s: the HDF5 library crashed (signal %d) while looking at it: the file is damaged or malicious",
                   shown, WTERMSIG(how));
  return sr_fail(SR_ERR_INPUT, "%s: the HDF5 library gave up while looking at it: the file is damaged or malicious",
                 shown);
}

static sr_status judge(const char *path, int seconds, arrival came, int how, const verdict *its) {
  if (came == TOO_LATE)
    return sr_fail(
        SR_ERR_INPUT,
        "%s: the HDF5 library took more than %d seconds to look at it: the file is damaged or malicious, or the "
        "disk does not answer",
        sr_shown(path), seconds);
  if (came == CUT_SHORT) return say_how_it_died(path, how);
  if (its->magic != MAGIC || its->status < SR_OK || its->status > SR_ERR_INTERNAL)
    return sr_fail(SR_ERR_INPUT,
                   "%s: the HDF5 library gave back nonsense on what it looked at: the file is damaged or malicious",
                   sr_shown(path));
  if (its->status == SR_OK) return SR_OK;
  return sr_fail((sr_status)its->status, "%.*s", (int)sizeof its->text - 1, its->text);
}

sr_status sr_isolate(const char *path, sr_isolated_fn *fn, const void *request, void *result, size_t size) {
  const int seconds = seconds_for(path);
  int end[2];
  if (pipe2(end, O_CLOEXEC))
    return sr_fail(SR_ERR_RESOURCE, "%s: no pipe to a child: %s", sr_shown(path), strerror(errno));
  pid_t child = fork();
  if (child == 0) be_child(end[1], seconds, fn, request, result, size);
  int error = errno;
  close(end[1]);
  if (child < 0) {
    close(end[0]);
    return sr_fail(SR_ERR_RESOURCE, "%s: no child process to look at it: %s", sr_shown(path), strerror(error));
  }
  verdict its;
  double deadline = sr_now() + seconds;
  arrival came = receive_all(end[0], &its, sizeof its, deadline);
  if (came == ARRIVED) came = receive_all(end[0], result, size, deadline);
  close(end[0]);
  kill(child, SIGKILL); /* no harm to one that is ending: its status stands */
  int how = 0;
  while (waitpid(child, &how, 0) < 0 && errno == EINTR) continue;
  return judge(path, seconds, came, how, &its);
}
