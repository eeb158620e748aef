#include "isa_portable.h"
#include "variants.h"

#include "fold_types.inc"
