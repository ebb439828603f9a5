// The inverse of the normal distribution: by Wichura's algorithm AS 241 ("The percentage points of the normal
// distribution", 1988), PPND7 for float and PPND16 for double.
#pragma once
#include "../../simd/math.h"
#include "../../simd/simd.h"

namespace gradstep {
namespace SIMD_ISA {

// A fraction of two polynomials.
template <class V> struct Fraction { V above, below; };

template <class V> INL Fraction<V> chosen(typename V::Mask mask, Fraction<V> if_true, Fraction<V> if_false) {
  return {select(mask, if_true.above, if_false.above), select(mask, if_true.below, if_false.below)};
}

// Of r = 0.425^2 - centre^2, where centre is at most 0.425; to be multiplied by centre.
INL Fraction<F32x16> middle_quantile(F32x16 r) {
  return {polynomial(r, 3.3871327179e+00f, 5.0434271938e+01f, 1.5929113202e+02f, 5.9109374720e+01f),
          polynomial(r, 1.0f, 1.7895169469e+01f, 7.8757757664e+01f, 6.7187563600e+01f)};
}
INL Fraction<F64x8> middle_quantile(F64x8 r) {
  return {polynomial(r, 3.3871328727963666080e+0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
                     1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                     3.3430575583588128105e+4, 2.5090809287301226727e+3),
          polynomial(r, 1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
                     2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
                     5.2264952788528545610e+3)};
}

// Of r = sqrt(-log(tail)), outside of that. A float's tails are 2^-32 at least, and with them r is at most 4.8.
INL Fraction<F32x16> outer_quantile(F32x16 r) {
  r = r - F32x16(1.6f);
  return {polynomial(r, 1.4234372777e+00f, 2.7568153900e+00f, 1.3067284816e+00f, 1.7023821103e-01f),
          polynomial(r, 1.0f, 7.3700164250e-01f, 1.2021132975e-01f)};
}
INL Fraction<F64x8> farthest_quantile(F64x8 r) {
  r = r - F64x8(5);
  return {polynomial(r, 6.65790464350110377720e+0, 5.46378491116411436990e+0, 1.78482653991729133580e+0,
                     2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                     2.71155556874348757815e-5, 2.01033439929228813265e-7),
          polynomial(r, 1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
                     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
                     2.04426310338993978564e-15)};
}
INL Fraction<F64x8> outer_quantile(F64x8 r) {
  const F64x8 s = r - F64x8(1.6);
  const Fraction<F64x8> outer = {
      polynomial(s, 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                 3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                 2.27238449892691845833e-2, 7.74545014278341407640e-4),
      polynomial(s, 1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
                 1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
                 1.05075007164441684324e-9)};
  const M64x8 is_farthest = gt(r, F64x8(5));  // once in 36 thousand million times
  return any(is_farthest) ? chosen(is_farthest, farthest_quantile(r), outer) : outer;
}

// z >= 0 with standard normal numbers above it with probability tail, and between 0 and it with probability centre,
// each given to its own full precision: they add up to 1/2. Relative errors are below 4e-7 and 1e-15.
template <class V, class T = typename V::Scalar> INL V normal_quantile(V centre, V tail) {
  const typename V::Mask is_middle = le(centre, V(T(0.425)));
  const Fraction<V> middle = middle_quantile(fnma(centre, centre, V(T(0.180625))));
  const Fraction<V> z = chosen(is_middle, middle, outer_quantile(sqrt(-log(tail))));
  return z.above * select(is_middle, centre, V(1)) / z.below;
}

}  // namespace SIMD_ISA
}  // namespace gradstep
