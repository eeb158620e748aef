/* What is in a group of an untrusted file. */
#ifndef SR_IO_LISTING_H
#define SR_IO_LISTING_H

#include <seqring/io.h>

#include "gate.h"

typedef struct sr_listing_request {
  const char *path, *group;
  int most;         /* datasets, groups and links that are listed */
  bool integers;    /* datasets of integers are readable, too */
  const char *text; /* name of an attribute of the root group that is read */
} sr_listing_request;

enum { SR_LISTING_TEXT = 1 << 20 };

typedef struct sr_listing {
  uint64_t size, inode;
  int64_t mtime_ns;
  int32_t n;
  bool is_output, is_complete; /* made by seqring, and finished */
  char format[64];             /* the attribute of this name */
  char text[SR_LISTING_TEXT];
  sr_dataset_info dataset[];
} sr_listing;

/* Makes a listing in a forked child with limits; the caller frees it. Errors: SR_ERR_INPUT, SR_ERR_ARGUMENT,
 * SR_ERR_RESOURCE. */
sr_status sr_listing_make(const sr_listing_request *request, sr_listing **listing);

/* The steps of which that is made, for others who look at a file: checks the paths, with "/" for no group; in the
 * child, opens file and group; in the parent, makes texts fit for a terminal. */
sr_status sr_listing_check(sr_listing_request *request);
sr_status sr_listing_gate(const sr_listing_request *request, struct stat *about, sr_gate *gate);
void sr_listing_end_texts(sr_dataset_info *info);

/* Whether what the child says of a readable dataset of at most 4 dimensions can be true of a file of that size: a
 * damaged child may say anything. */
bool sr_listing_is_possible(const sr_dataset_info *dataset, uint64_t size);

#endif
