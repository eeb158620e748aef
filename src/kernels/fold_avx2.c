#include "isa_avx2.h"
#include "variants.h"

#include "fold_types.inc"
