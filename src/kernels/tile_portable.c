#include "isa_portable.h"
#include "variants.h"

#include "tile_types.inc"
