#include "isa_avx512.h"
#include "variants.h"

#include "tile_types.inc"
