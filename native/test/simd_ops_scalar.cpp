#define SIMD_ISA scalar
#include "../simd/scalar.h"
#include "simd_ops.inc"
