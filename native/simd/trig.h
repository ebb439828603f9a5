// Trigonometric functions and their inverses over the vector vocabulary, as in math.h: the same bits on every ISA,
// errors in ulp pinned by test/math_test.cpp. float goes through double, where short polynomials and plain sums are
// enough.
#pragma once
#include "math.h"
#include "quarter_turns.h"

namespace gradstep::SIMD_ISA {

// pi / 2 in three parts.
constexpr double kHalfPi[] = {0x1.921fb54442d18p0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110};
constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
// From here on n pi / 2 is no longer subtracted, which is good to 2^-62 for n below 2^30.
constexpr double kLargeAngle = 0x1p30;

// x = (4 k + quadrant) pi / 2 + high + low, with quadrant 0, 1, 2 or 3 and |high| <= pi / 4.
struct Angle { F64x8 quadrant, high, low; };

INL F64x8 modulo_4(F64x8 n) { return n - F64x8(4) * floor(n * F64x8(0.25)); }

// Puts what quarter_turns says in the place of lanes that are large.
[[maybe_unused]] static void reduce_large(F64x8 x, Angle& angle) {
  double lanes[8], quadrant[8], high[8], low[8];
  store(lanes, x), store(quadrant, angle.quadrant), store(high, F64x8(0.0)), store(low, F64x8(0.0));
  for (size_t i = 0; i < 8; ++i) {
    const double size = lanes[i] < 0 ? -lanes[i] : lanes[i];
    if (!(size >= kLargeAngle && size < Ieee<double>::kInfinity)) continue;
    const QuarterTurns turns = quarter_turns(lanes[i]);
    quadrant[i] = turns.quadrant, high[i] = turns.high, low[i] = turns.low;
  }
  const typename F64x8::Mask large = ge(abs(x), F64x8(kLargeAngle)) & is_finite(x);
  const F64x8 turns = load(high), pi_high = turns * F64x8(kHalfPi[0]);
  const F64x8 pi_low =
      fma(turns, F64x8(kHalfPi[0]), -pi_high) + fma(turns, F64x8(kHalfPi[1]), load(low) * F64x8(kHalfPi[0]));
  const F64x8 sum = pi_high + pi_low;
  angle.quadrant = select(large, load(quadrant), angle.quadrant);
  angle.high = select(large, sum, angle.high);
  angle.low = select(large, pi_low - (sum - pi_high), angle.low);
}

// is_short: to float's precision, without `low`.
template <bool is_short> INL Angle reduce_angle(F64x8 x) {
  const F64x8 n = round(x * F64x8(kTwoOverPi)), first = fnma(n, F64x8(kHalfPi[0]), x);  // exact
  Angle angle = {modulo_4(n), fnma(n, F64x8(kHalfPi[1]), first), F64x8(0.0)};
  if constexpr (!is_short) {
    const F64x8 second = n * F64x8(kHalfPi[1]), second_low = fma(n, F64x8(kHalfPi[1]), -second);
    const F64x8 r = first - second, back = r - first, lost = (first - (r - back)) - (second + back);
    const F64x8 low = lost - fma(n, F64x8(kHalfPi[2]), second_low);
    angle.high = r + low;
    angle.low = low - (angle.high - r);
  }
  if (any(ge(abs(x), F64x8(kLargeAngle)))) reduce_large(x, angle);
  return angle;
}

// sin(h + l) and cos(h + l) for |h| <= pi / 4: high + low, not normalized.
template <bool is_short> INL TwoPart<F64x8> sin_near_0(F64x8 h, F64x8 l) {
  const F64x8 z = h * h;
  if constexpr (is_short)
    return {h, h * z *
                   polynomial(z, -0x1.5555554c70605p-3, 0x1.111108695496fp-7, -0x1.a00f7e4f80355p-13,
                              0x1.6cd1bea8d96aap-19)};
  return {h, fma(h * z,
                 polynomial(z, -0x1.5555555555548p-3, 0x1.111111110f75ep-7, -0x1.a01a019bf255fp-13,
                            0x1.71de355f3d208p-19, -0x1.ae5e54a47f19p-26, 0x1.5d8e455567ce5p-33),
                 fnma(F64x8(0.5) * z, l, l))};
}
template <bool is_short> INL TwoPart<F64x8> cos_near_0(F64x8 h, F64x8 l) {
  const F64x8 z = h * h, half = F64x8(0.5) * z, w = F64x8(1) - half, lost = (F64x8(1) - w) - half;
  if constexpr (is_short)
    return {w, fma(z * z, polynomial(z, 0x1.55554ab2bae89p-5, -0x1.6c0c8ae75acp-10, 0x1.9a021b42ce634p-16), lost)};
  return {w, fma(z * z,
                 polynomial(z, 0x1.555555555554cp-5, -0x1.6c16c16c15221p-10, 0x1.a01a019cbfa6ep-16,
                            -0x1.27e4f812eaa6ap-22, 0x1.1ee9f1749a392p-29, -0x1.8fb140f5df455p-37),
                 lost) -
                 fma(F64x8(0.5), fma(h, h, -z), h * l)};
}

INL F64x8 sum_of(TwoPart<F64x8> a) { return a.high + a.low; }
INL TwoPart<F64x8> normalized(TwoPart<F64x8> a) {
  const F64x8 high = a.high + a.low;
  return {high, a.low - (high - a.high)};
}

// sin of an angle, or cos: the same a quarter turn further on.
template <bool is_short> INL F64x8 sin_of(const Angle& a, F64x8 further) {
  const F64x8 s = sum_of(sin_near_0<is_short>(a.high, a.low)), c = sum_of(cos_near_0<is_short>(a.high, a.low));
  const F64x8 quadrant = a.quadrant + further;  // 0 to 4
  const typename F64x8::Mask is_cos = eq(quadrant, F64x8(1)) | eq(quadrant, F64x8(3));
  const typename F64x8::Mask is_negative = eq(quadrant, F64x8(2)) | eq(quadrant, F64x8(3));
  const F64x8 r = select(is_cos, c, s);
  return select(is_negative, -r, r);
}
template <bool is_short> INL F64x8 tan_of(const Angle& a) {
  const TwoPart<F64x8> s = sin_near_0<is_short>(a.high, a.low), c = cos_near_0<is_short>(a.high, a.low);
  const typename F64x8::Mask is_odd = eq(a.quadrant, F64x8(1)) | eq(a.quadrant, F64x8(3));
  if constexpr (is_short) {
    const F64x8 sin = sum_of(s), cos = sum_of(c);
    return select(is_odd, -cos, sin) / select(is_odd, sin, cos);
  }
  const TwoPart<F64x8> sin = normalized(s), cos = normalized(c);
  return divide_rounded<F64x8>({select(is_odd, -cos.high, sin.high), select(is_odd, -cos.low, sin.low)},
                               {select(is_odd, sin.high, cos.high), select(is_odd, sin.low, cos.low)});
}

template <class F> INL F32x16 through_f64(F32x16 x, F f) { return to_f32(f(lower_f64(x)), f(upper_f64(x))); }
template <class F> INL F32x16 through_f64(F32x16 x, F32x16 y, F f) {
  return to_f32(f(lower_f64(x), lower_f64(y)), f(upper_f64(x), upper_f64(y)));
}

// sin, cos, tan of angles of any size: 1 ulp. NaN and infinities -> NaN; sin and tan give +-0 for +-0 and denormals for
// themselves.
template <bool is_short = false> INL F64x8 sin(F64x8 x) {
  return select(eq(x, F64x8(0.0)), x, sin_of<is_short>(reduce_angle<is_short>(x), F64x8(0.0)));
}
template <bool is_short = false> INL F64x8 cos(F64x8 x) {
  return sin_of<is_short>(reduce_angle<is_short>(x), F64x8(1));
}
template <bool is_short = false> INL F64x8 tan(F64x8 x) {
  return select(eq(x, F64x8(0.0)), x, tan_of<is_short>(reduce_angle<is_short>(x)));
}
INL F32x16 sin(F32x16 x) {
  return through_f64(x, [](F64x8 a) __attribute__((always_inline)) { return sin<true>(a); });
}
INL F32x16 cos(F32x16 x) {
  return through_f64(x, [](F64x8 a) __attribute__((always_inline)) { return cos<true>(a); });
}
INL F32x16 tan(F32x16 x) {
  return through_f64(x, [](F64x8 a) __attribute__((always_inline)) { return tan<true>(a); });
}

// atan(t) - t for |t| <= tan(pi / 8).
template <bool is_short> INL F64x8 atan_less_t(F64x8 t) {
  const F64x8 z = t * t;
  if constexpr (is_short)
    return t * z *
           polynomial(z, -0x1.55554927a655ep-2, 0x1.999195df62e76p-3, -0x1.23b51e344053cp-3, 0x1.b1ebe7bc52138p-4,
                      -0x1.f1ec096ad7f03p-5);
  return t * z *
         polynomial(z, -0x1.555555555553dp-2, 0x1.999999999586dp-3, -0x1.24924922ad6edp-3, 0x1.c71c70e613401p-4,
                    -0x1.745cf8dcacc2cp-4, 0x1.3b11191f75b4cp-4, -0x1.10ebb86a779eap-4, 0x1.df0f4dc533861p-5,
                    -0x1.9cd2cc3bca9b5p-5, 0x1.37d5d6ce4a661p-5, -0x1.256ae1c819cccp-6);
}

// pi / 4 in two parts. The first has trailing zeros, so that its multiples up to 4 are exact.
constexpr double kQuarterPiHigh = 0x1.921fb54442d18p-1, kQuarterPiLow = 0x1.1a62633145c07p-55;

// The angle of (x, y), with y's sign: 1 ulp, special values as in C99. y / x as the tangent of less than pi / 8 from
// one of the multiples of pi / 4.
template <bool is_short = false> INL F64x8 atan2(F64x8 y, F64x8 x) {
  const F64x8 one(1), infinity(Ieee<double>::kInfinity), ax = abs(x), ay = abs(y);
  const typename F64x8::Mask is_steep = gt(ay, ax), is_behind = lt(copysign(one, x), F64x8(0.0));
  F64x8 n = select(is_steep, ax, ay), d = select(is_steep, ay, ax);
  const typename F64x8::Mask both_infinite = eq(n, infinity) & eq(d, infinity);
  n = select(both_infinite, one, n), d = select(both_infinite, one, d);
  const typename F64x8::Mask is_wide = gt(n, d * F64x8(0x1.a827999fcef34p-2));
  const F64x8 scale = select(gt(d, one), F64x8(0.5), one), scaled_n = n * scale, scaled_d = d * scale;
  const F64x8 difference = scaled_n - scaled_d, sum = scaled_n + scaled_d;
  F64x8 t = select(is_wide, difference, n) / select(is_wide, sum, d), t_low(0.0);
  if constexpr (!is_short) {  // what was lost of the difference, of the sum and of the quotient
    const F64x8 back = difference + scaled_d, of_difference = (scaled_n - back) - (scaled_d - (back - difference));
    const F64x8 error = fnma(t, scaled_n - (sum - scaled_d), fnma(t, sum, difference) + of_difference);
    t_low = select(is_wide, error / sum, t_low);
  }
  t = select(eq(n, F64x8(0.0)) & eq(d, F64x8(0.0)), F64x8(0.0), t);
  F64x8 m = select(is_wide, one, F64x8(0.0)), sign = one;
  m = select(is_steep, F64x8(2) - m, m), sign = select(is_steep, -sign, sign);
  m = select(is_behind, F64x8(4) - m, m), sign = select(is_behind, -sign, sign);
  const F64x8 small = fma(m, F64x8(kQuarterPiLow), sign * (atan_less_t<is_short>(t) + t_low));
  return copysign(fma(m, F64x8(kQuarterPiHigh), fma(sign, t, small)), y);
}
INL F32x16 atan2(F32x16 y, F32x16 x) {
  return through_f64(y, x, [](F64x8 a, F64x8 b) __attribute__((always_inline)) { return atan2<true>(a, b); });
}

// atan, asin, acos: 2 ulp. NaN -> NaN; atan +-Inf -> +-pi / 2; asin and acos NaN where |x| > 1; atan and asin give +-0
// for
// +-0 and denormals for themselves.
template <bool is_short = false> INL F64x8 atan(F64x8 x) { return atan2<is_short>(x, F64x8(1)); }
INL TwoPart<F64x8> other_leg(F64x8 x) {  // sqrt(1 - x^2), for |x| <= 1
  const F64x8 square = x * x, w = F64x8(1) - square, leg = sqrt(w);
  const F64x8 lost = ((F64x8(1) - w) - square) - fma(x, x, -square), error = fnma(leg, leg, w) + lost;
  return {leg, select(gt(leg, F64x8(0.0)), error * F64x8(0.5) / leg, F64x8(0.0))};
}
template <bool is_short = false> INL F64x8 asin(F64x8 x) {
  if constexpr (is_short) return atan2<is_short>(x, sqrt(fnma(x, x, F64x8(1))));
  const TwoPart<F64x8> leg = other_leg(x);
  return select(eq(x, F64x8(0.0)), x, fnma(leg.low, x, atan2<is_short>(x, leg.high)));
}
template <bool is_short = false> INL F64x8 acos(F64x8 x) {
  if constexpr (is_short) return atan2<is_short>(sqrt(fnma(x, x, F64x8(1))), x);
  const TwoPart<F64x8> leg = other_leg(x);
  return fma(leg.low, x, atan2<is_short>(leg.high, x));
}
INL F32x16 atan(F32x16 x) {
  return through_f64(x, [](F64x8 a) __attribute__((always_inline)) { return atan<true>(a); });
}
INL F32x16 asin(F32x16 x) {
  return through_f64(x, [](F64x8 a) __attribute__((always_inline)) { return asin<true>(a); });
}
INL F32x16 acos(F32x16 x) {
  return through_f64(x, [](F64x8 a) __attribute__((always_inline)) { return acos<true>(a); });
}

}  // namespace gradstep::SIMD_ISA
