/* All of libseqring's public headers. The file formats of libseqring_io are in <seqring/io.h>. */
#ifndef SEQRING_SEQRING_H
#define SEQRING_SEQRING_H

#include "costs.h"
#include "distribution.h"
#include "mask.h"
#include "plan.h"
#include "status.h"
#include "types.h"
#include "version.h"

#endif
