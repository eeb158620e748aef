#include "isa_avx512.h"
#include "variants.h"

#include "fold_types.inc"
