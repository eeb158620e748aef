/* uthash, so that want of memory is a failure and not the end of the program: HASH_ADD... sets a variable `failed`. */
#ifndef SR_MODEL_HASH_H
#define SR_MODEL_HASH_H

#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) failed = true

#include <uthash.h>

#endif
