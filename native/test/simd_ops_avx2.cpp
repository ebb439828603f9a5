#define SIMD_ISA avx2
#include "../simd/avx2.h"
#include "simd_ops.inc"
