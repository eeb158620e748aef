/* SR_SEGMENT, the unit of the numerics contract: keys are cut into segments at absolute positions, whatever the number
 * of ranks. A query's state starts from nothing in every segment, and segments are merged so exactly that their order
 * cannot show. */
#ifndef SR_SCHEDULE_SEGMENT_H
#define SR_SCHEDULE_SEGMENT_H

#include <seqring/types.h>

/* Segments that a sequence of n keys has. */
static inline int64_t sr_segments(int64_t n) {
  return n / SR_SEGMENT + (n % SR_SEGMENT != 0);
}

#endif
