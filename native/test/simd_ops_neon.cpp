#define SIMD_ISA neon
#include "../simd/neon.h"
#include "simd_ops.inc"
