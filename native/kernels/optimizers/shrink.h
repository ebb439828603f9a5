// What the rules with an L1 term share.
#pragma once
#include "../../simd/simd.h"

namespace gradstep {
namespace SIMD_ISA {

// Soft thresholding, sign(x) max(|x| - l, 0), the proximal step of l |x|: x moved
// towards zero by l, and zero where it would cross it.
// NaN stays NaN.
template <class V> INL V shrink(V x, V l) { return x - max(-l, min(l, x)); }

// TensorFlow treats a negative L1 strength as 0.
INL double l1_strength(double l1) { return l1 > 0 ? l1 : 0; }

}  // namespace SIMD_ISA
}  // namespace gradstep
