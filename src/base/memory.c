#include "memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { HUGE_PAGE = 2 << 20, LARGE = 4 * HUGE_PAGE };

void *sr_alloc(uint64_t size) {
  if (size > PTRDIFF_MAX - HUGE_PAGE) return NULL;
  if (size < LARGE) return aligned_alloc(SR_ALIGN, size ? sr_align_up(size) : SR_ALIGN);
  void *block = NULL;
  if (posix_memalign(&block, HUGE_PAGE, size)) return NULL;
  madvise(block, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* a wish: kernels without huge pages say no */
  return block;
}

void sr_free(void *block) {
  free(block);
}

void *sr_grow(void *array, int64_t n, int64_t *room, size_t size) {
  if (n < *room) return array;
  const int64_t more = *room ? 2 * *room : 8;
  void *moved = realloc(array, (size_t)more * size);
  if (moved) *room = more;
  return moved;
}

uint64_t sr_memory_peak(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) ? 0 : (uint64_t)usage.ru_maxrss * 1024;
}

/* The number in a file that holds one, UINT64_MAX when it holds "max" or cannot be read. */
static uint64_t number_in(const char *path) {
  FILE *file = fopen(path, "re");
  if (!file) return UINT64_MAX;
  uint64_t value;
  if (fscanf(file, "%" SCNu64, &value) != 1) value = UINT64_MAX;
  fclose(file);
  return value;
}

static uint64_t kernel_available(void) {
  FILE *file = fopen("/proc/meminfo", "re");
  if (!file) return UINT64_MAX;
  char line[256];
  uint64_t kib, bytes = UINT64_MAX;
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) == 1) bytes = kib * 1024;
  fclose(file);
  return bytes;
}

/* Where a version of control groups has the files that tell of memory, and what memory.stat calls cached files, which
 * the kernel gives up when their memory is needed. */
typedef struct group_files {
  const char *root, *limit, *used, *cached[2];
} group_files;
static const group_files version_1 = {"/sys/fs/cgroup/memory",
                                      "memory.limit_in_bytes",
                                      "memory.usage_in_bytes",
                                      {"total_inactive_file", "total_active_file"}};
static const group_files version_2 = {
    "/sys/fs/cgroup", "memory.max", "memory.current", {"inactive_file", "active_file"}};

/* Bytes of cached files in a file of lines of a name and a number; 0 where it cannot be read. */
static uint64_t cached_in(const char *path, const group_files *files) {
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  char name[64];
  uint64_t value, cached = 0;
  while (fscanf(file, "%63s %" SCNu64, name, &value) == 2)
    for (int i = 0; i < 2; i++)
      if (!strcmp(name, files->cached[i])) cached += value;
  fclose(file);
  return cached;
}

static uint64_t left_under(const char *dir, const group_files *files) {
  char path[4400];
  snprintf(path, sizeof path, "%s/%s", dir, files->limit);
  const uint64_t limit = number_in(path);
  snprintf(path, sizeof path, "%s/%s", dir, files->used);
  const uint64_t used = number_in(path);
  if (limit == UINT64_MAX || used == UINT64_MAX) return UINT64_MAX;
  snprintf(path, sizeof path, "%s/memory.stat", dir);
  const uint64_t cached = cached_in(path, files), held = used > cached ? used - cached : 0;
  return held < limit ? limit - held : 0;
}

/* Least room in a control group and all groups above it; dir is cut back to root on the way. */
static uint64_t group_left(char *dir, const group_files *files) {
  uint64_t least = UINT64_MAX;
  for (;;) {
    uint64_t left = left_under(dir, files);
    if (left < least) least = left;
    char *slash = strrchr(dir, '/');
    if (!slash || strlen(dir) <= strlen(files->root)) return least;
    *slash = '\0';
  }
}

static uint64_t control_groups_left(void) {
  FILE *file = fopen("/proc/self/cgroup", "re");
  if (!file) return UINT64_MAX;
  char line[4096], dir[4200];
  uint64_t least = UINT64_MAX;
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) continue;
    *group++ = '\0';
    const bool is_tree = controllers[1] == '\0'; /* of version 2, for all controllers */
    if (!is_tree && !strstr(controllers, "memory")) continue;
    const group_files *files = is_tree ? &version_2 : &version_1;
    snprintf(dir, sizeof dir, "%s%s", files->root, group);
    const uint64_t left = group_left(dir, files);
    if (left < least) least = left;
  }
  fclose(file);
  return least;
}

uint64_t sr_memory_available(void) {
  uint64_t kernel = kernel_available(), groups = control_groups_left();
  return kernel < groups ? kernel : groups;
}
