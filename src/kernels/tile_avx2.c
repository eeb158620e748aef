#include "isa_avx2.h"
#include "variants.h"

#include "tile_types.inc"
