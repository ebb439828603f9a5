// Elementary functions over the vector vocabulary: templates on V (F32x16, F64x8), bit-identical on every ISA.
// Errors are in ulp of the result, measured and pinned by test/simd_test.cpp.
// Denormals are honoured everywhere, as arguments and as results. Coefficients are minimax fits, made with Sollya.
#pragma once
#include "simd.h"

namespace gradstep::SIMD_ISA {

template <class T> struct Math;
template <> struct Math<float> {
  static constexpr float kLog2E = 0x1.715476p0f;
  // ln 2 in two parts. The first has trailing zeros, so its product with an exponent is exact.
  static constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr float kSqrt2 = 0x1.6a09e6p0f;
  static constexpr float kSmallestNormal = 0x1p-126f, kMantissaWidth = 23;
  static constexpr float kExpZero = -104, kExpInfinity = 89;  // exp is 0 below the one, Infinity above the other
  static constexpr float kTanhOne = 10;                       // tanh is 1 above
  static constexpr float kExpNormal = -87;                    // exp is a normal number from here on
};
template <> struct Math<double> {
  static constexpr double kLog2E = 0x1.71547652b82fep0;
  static constexpr double kLn2High = 0x1.62e42fefa3p-1, kLn2Low = 0x1.3de6af278ece6p-42;
  static constexpr double kSqrt2 = 0x1.6a09e667f3bcdp0;
  static constexpr double kSmallestNormal = 0x1p-1022, kMantissaWidth = 52;
  static constexpr double kExpZero = -746, kExpInfinity = 710;
  static constexpr double kTanhOne = 20;
  static constexpr double kExpNormal = -708;
};

// c0 + c1 x + c2 x^2 + ... by Horner's rule.
template <class V, class T> INL V polynomial(V, T c0) { return V(c0); }
template <class V, class T, class... Ts> INL V polynomial(V x, T c0, Ts... rest) {
  return fma(polynomial(x, rest...), x, V(c0));
}

// A number as an unevaluated sum, low being some 2^-24 (2^-53) of high.
template <class V> struct TwoPart { V high, low; };

// n / d to about twice the precision.
template <class V> INL TwoPart<V> divide(TwoPart<V> n, TwoPart<V> d) {
  const V inverse = V(1) / d.high, q = n.high * inverse;
  const V remainder = fnma(q, d.low, fnma(q, d.high, n.high) + n.low);
  return {q, remainder * inverse};
}
template <class V> INL V divide_rounded(TwoPart<V> n, TwoPart<V> d) {
  const TwoPart<V> q = divide(n, d);
  return q.high + q.low;
}

// ---- exp and what is made of it ----

// x = n ln 2 + r with integral n and |r| <= ln(2) / 2.
template <class V> struct ExpArgument { V n, r; };
template <class V, class T = typename V::Scalar> INL ExpArgument<V> split_exp(V x) {
  const V n = round(x * V(Math<T>::kLog2E));
  return {n, fnma(n, V(Math<T>::kLn2Low), fnma(n, V(Math<T>::kLn2High), x))};
}

// e^r - 1 = r + r^2 q(r) for |r| <= ln(2) / 2.
template <class V> INL V expm1_small(V r) {
  V q;
  if constexpr (V::kLanes == 16) {
    q = polynomial(r, 0x1p-1f, 0x1.555556p-3f, 0x1.5555p-5f, 0x1.110fc4p-7f, 0x1.6d30d2p-10f, 0x1.a2d442p-13f);
  } else {
    q = polynomial(r, 0x1p-1, 0x1.5555555555557p-3, 0x1.5555555555557p-5, 0x1.111111111002fp-7, 0x1.6c16c16c1568ep-10,
                   0x1.a01a01ac3868fp-13, 0x1.a01a01aba7114p-16, 0x1.71de014b13815p-19, 0x1.27e4cf8130412p-22,
                   0x1.af4fa8861bd03p-26, 0x1.1f874c416f53cp-29);
  }
  return fma(r * r, q, r);
}

// a 2^n in two steps: 2^n alone may not exist (n = 128, n = -149). Only the second product can round.
template <class V> INL V scale_pow2(V a, V n) {
  const V half = round(n * V(0.5f));
  return a * pow2(half) * pow2(n - half);
}

// e^(x + low) for a small correction low.
template <class V, class T = typename V::Scalar> INL V exp(V x, V low) {
  const V in_range = max(V(Math<T>::kExpZero), min(V(Math<T>::kExpInfinity), x));  // in this order NaN stays
  const ExpArgument<V> a = split_exp(in_range);
  return scale_pow2(V(1) + expm1_small(a.r + low), a.n);
}

// exp: 1 ulp. NaN -> NaN, Inf -> Inf, -Inf -> 0, +-0 and denormals -> 1; overflows to Inf, underflows gradually to 0.
template <class V> INL V exp(V x) { return exp(x, V(0)); }

// The same and 2^n, of an x whose exp is a normal number: n + kExponentBias are the low bits of t. Fewer operations
// than split_exp and pow2, for what has to keep up with memory.
template <class V> struct ScaledExp { V scale, r; };
template <class V, class T = typename V::Scalar> INL ScaledExp<V> split_normal_exp(V x) {
  const V unit(Ieee<T>::kUnitUlp + Ieee<T>::kExponentBias), t = fma(x, V(Math<T>::kLog2E), unit), n = t - unit;
  return {shift_left(t), fnma(n, V(Math<T>::kLn2Low), fnma(n, V(Math<T>::kLn2High), x))};
}

// e^x for x of at most a little above 0, as softmax wants it: 0 below kExpNormal, else exp. NaN -> NaN.
template <class V, class T = typename V::Scalar> INL V exp_down(V x) {
  const ScaledExp<V> a = split_normal_exp(x);
  return select(lt(x, V(Math<T>::kExpNormal)), V(0), (V(1) + expm1_small(a.r)) * a.scale);
}

// e^x - 1 to somewhat more than its precision, for |x| <= 60 or less: beyond it is exp, or -1.
template <class V> INL TwoPart<V> expm1_extended(V x) {
  const ExpArgument<V> a = split_exp(x);
  const V p = expm1_small(a.r), scale = pow2(a.n), scale_1 = scale - V(1), sum = fma(scale, p, scale_1);
  return {sum, fma(scale, p, scale_1 - sum)};
}

// expm1: 2 ulp. NaN -> NaN, Inf -> Inf, -Inf -> -1, +-0 -> +-0, denormals -> themselves.
template <class V> INL V expm1(V x) {
  const V in_range = max(V(-60), min(V(60), x));  // in this order NaN stays
  return copysign(select(gt(x, V(60)), exp(x), expm1_extended(in_range).high), x);
}

// sinh and cosh: 2 ulp. NaN -> NaN, infinities and what is too large -> Inf with sinh's sign; sinh gives +-0 for +-0
// and denormals for themselves.
template <class V, class T = typename V::Scalar> INL V half_exp(V x) {  // e^x / 2, which may exist where e^x does not
  const ExpArgument<V> a = split_exp(min(V(Math<T>::kExpInfinity + 1), x));
  return scale_pow2(V(1) + expm1_small(a.r), a.n - V(1));
}
template <class V> INL V sinh(V x) {
  const V a = abs(x);
  const TwoPart<V> e = expm1_extended(min(V(30), a));
  const V d = V(1) + e.high, d_low = (e.high - (d - V(1))) + e.low;  // (e + e / (1 + e)) / 2
  const TwoPart<V> q = divide<V>(e, {d, d_low});
  const V near_0 = V(0.5f) * (e.high + (q.high + (q.low + e.low)));
  return copysign(select(gt(a, V(30)), half_exp(a), near_0), x);
}
template <class V> INL V cosh(V x) {
  const V e = half_exp(abs(x));
  return e + V(0.25f) / e;
}

// log(1 + e^x): 2 ulp. NaN -> NaN, Inf -> Inf, -Inf -> 0; underflows gradually to 0.
template <class V> INL V log1p(V x);
template <class V> INL V softplus(V x) { return maximum(x, V(0)) + log1p(exp(-abs(x))); }

// sigmoid = 1 / (1 + e^-x): 2 ulp. NaN -> NaN, Inf -> 1, -Inf -> 0, +-0 and denormals -> 0.5; underflows gradually to
// 0.
template <class V> INL V sigmoid(V x) {
  const V e = exp(-abs(x)), d = V(1) + e;  // never overflows; for negative x the result is e / (1 + e)
  return divide_rounded<V>({select(lt(x, V(0)), e, V(1)), V(0)}, {d, e - (d - V(1))});
}

// tanh: 2 ulp. NaN -> NaN, +-Inf -> +-1, +-0 -> +-0, denormals -> themselves; +-1 from |x| = 10 (float), 20 (double)
// on.
template <class V, class T = typename V::Scalar> INL V tanh(V x) {
  const V magnitude = min(V(Math<T>::kTanhOne), abs(x));
  const ScaledExp<V> a = split_normal_exp(V(-2) * magnitude);
  const V p = expm1_small(a.r), scale = a.scale, scale_1 = scale - V(1);
  const V e = fma(scale, p, scale_1), e_low = fma(scale, p, scale_1 - e);  // e + e_low = e^(-2|x|) - 1
  const V d = V(2) + e, d_low = (e - (d - V(2))) + e_low;
  return copysign(divide_rounded<V>({e, e_low}, {d, d_low}), x);
}

// ---- log and what is made of it ----

// x = m 2^e with m in [sqrt(1/2), sqrt(2)), for positive finite x.
template <class V> struct LogArgument { V e, m; };
template <class V, class T = typename V::Scalar> INL LogArgument<V> split_log(V x) {
  const typename V::Mask denormal = lt(x, V(Math<T>::kSmallestNormal));
  const V normal = select(denormal, x * V(Ieee<T>::kUnitUlp), x);
  const V e = exponent(normal) - select(denormal, V(Math<T>::kMantissaWidth), V(0)), m = mantissa(normal);
  const typename V::Mask large = gt(m, V(Math<T>::kSqrt2));
  return {select(large, e + V(1), e), select(large, m * V(0.5f), m)};
}

// log(1 + f) = 2 s + s z p(z) with s = f / (2 + f), z = s^2. This is z p(z).
template <class V> INL V log_series(V z) {
  V p;
  if constexpr (V::kLanes == 16) {
    p = polynomial(z, 0x1.555556p-1f, 0x1.99986ep-2f, 0x1.24c14p-2f, 0x1.ce848ep-3f);
  } else {
    p = polynomial(z, 0x1.5555555555555p-1, 0x1.9999999999d58p-2, 0x1.249249242f0a3p-2, 0x1.c71c725c1a07p-3,
                   0x1.745cdb9028218p-3, 0x1.3b2153d48defap-3, 0x1.0f4a9be5a1bebp-3, 0x1.101e903bdfd93p-3);
  }
  return z * p;
}

// e ln 2 + log(1 + f) + low, summed from the small end (2 s = f - f^2/2 + s f^2/2, and f is exact: Sun's fdlibm).
template <class V, class T = typename V::Scalar> INL V log_sum(V e, V f, V low) {
  const V s = f / (V(2) + f), half_square = V(0.5f) * f * f;
  const V small = fma(s, half_square + log_series(s * s), fma(e, V(Math<T>::kLn2Low), low));
  return fma(e, V(Math<T>::kLn2High), f - (half_square - small));
}

// Replaces the formula's results by log's special values where x is zero, negative, infinite or NaN.
template <class V, class T = typename V::Scalar> INL V log_special(V x, V result) {
  const V infinity(Ieee<T>::kInfinity);
  result = select(eq(x, infinity), x, result);
  return select(gt(x, V(0)), result, select(eq(x, V(0)), -infinity, V(T(__builtin_nan("")))));
}

// log: 1 ulp. NaN -> NaN, Inf -> Inf, +-0 -> -Inf, x < 0 -> NaN, 1 -> +0; denormals like all numbers.
template <class V> INL V log(V x) {
  const LogArgument<V> a = split_log(x);
  return log_special(x, log_sum(a.e, a.m - V(1), V(0)));
}

// log1p: 1 ulp. NaN -> NaN, Inf -> Inf, -1 -> -Inf, x < -1 -> NaN, +-0 -> +-0, denormals -> themselves.
template <class V> INL V log1p(V x) {
  const V u = V(1) + x, lost = x - (u - V(1));  // u + lost = 1 + x, exactly where it matters
  const LogArgument<V> a = split_log(u);
  const typename V::Mask near_one = eq(a.e, V(0));  // then x itself is f, and nothing was lost
  const V f = select(near_one, x, a.m - V(1)), low = select(near_one, V(0), lost / u);
  return copysign(log_special(u, log_sum(a.e, f, low)), x);
}

// ---- pow ----

// log(x) to more than its precision: x^y needs it, because exp turns an absolute error of y log(x) into a relative one.
// log(1 + f) = 2 s + 2 / 3 s z + s z^2 p(z), of which the first two terms are numbers in two parts.
INL TwoPart<F64x8> log_extended(F64x8 x) {
  using V = F64x8;
  const LogArgument<V> a = split_log(x);
  const V f = a.m - V(1), d = V(2) + f;
  const TwoPart<V> s = divide<V>({f, V(0.0)}, {d, f - (d - V(2))});
  const V z = s.high * s.high, z_low = fma(V(2) * s.high, s.low, fma(s.high, s.high, -z));
  const V third(0x1.5555555555555p-1), t = third * z;
  const V t_low = fma(third, z, -t) + fma(third, z_low, V(0x1.5555555555555p-55) * z);
  const V term = s.high * t, term_low = fma(s.high, t, -term) + fma(s.high, t_low, s.low * t);
  const V rest = s.high * z * z *
                 polynomial(z, 0x1.999999999999ap-2, 0x1.24924924922fcp-2, 0x1.c71c71c74d1cp-3, 0x1.745d173c57417p-3,
                            0x1.3b13aa0342a94p-3, 0x1.11154601f4b17p-3, 0x1.e01b9e2a1bb45p-4, 0x1.da9000072fdbp-4);
  const V large = V(Math<double>::kLn2High) * a.e, high = fma(V(2), s.high, large), sum = high + term;
  const V small = fma(a.e, V(Math<double>::kLn2Low), fma(V(2), s.low, term_low + rest));
  const V low = (fma(V(2), s.high, large - high) + (term - (sum - high))) + small, result = sum + low;
  return {log_special(x, result), low - (result - sum)};
}

// a^y for a >= 0. float goes through double, where y log(a) is precise enough as it stands.
INL F32x16 pow_positive(F32x16 a, F32x16 y) {
  return to_f32(exp(lower_f64(y) * log(lower_f64(a))), exp(upper_f64(y) * log(upper_f64(a))));
}
INL F64x8 pow_positive(F64x8 a, F64x8 y) {
  const TwoPart<F64x8> l = log_extended(a);
  const F64x8 high = y * l.high, low = fma(y, l.low, fma(y, l.high, -high));
  return exp(high, select(lt(abs(high), F64x8(1000)), low, F64x8(0)));  // beyond, exp is 0 or Inf and low may be NaN
}

// pow(x, y), special values as in C99: 1 ulp in float, 2 in double. x^0 = 1^y = 1 even for NaN; else NaN -> NaN;
// finite x < 0 -> NaN unless y is an integer, negative for odd y; +-0 and +-Inf keep their sign for odd y only;
// overflows to Inf, underflows gradually to 0.
template <class V, class T = typename V::Scalar> INL V pow(V x, V y) {
  const V a = abs(x), one(1), half_y = y * V(0.5f);
  const typename V::Mask integral = eq(round(y), y), odd = integral & ne(round(half_y), half_y);
  V r = select(eq(a, one), one, pow_positive(a, y));
  r = select(lt(x, V(0)) & is_finite(x) & !integral, V(T(__builtin_nan(""))), r);
  r = select(odd, copysign(r, x), r);
  return select(eq(x, one) | eq(y, V(0)), one, r);
}

// ---- remainder ----

// a - b trunc(a / b), exact, with a's sign: C's fmod. The nearest multiple of b that has 22 bits or less is taken away
// at a time, which leaves what a double can hold.
INL F64x8 remainder(F64x8 a, F64x8 b) {
  const F64x8 size = abs(b);
  F64x8 r = abs(a);
  const F64x8::Mask defined = is_finite(r) & gt(size, F64x8(0.0));
  while (any(ge(abs(r), size) & defined)) {
    F64x8 unit = select(gt(abs(r) * F64x8(0x1p-512), size), size * F64x8(0x1p500), size);  // so that q exists
    const F64x8 large = size * F64x8(0x1p390);
    unit = select(gt(abs(r) * F64x8(0x1p-1012), large), large * F64x8(0x1p1010), unit);
    const F64x8 q = r / unit, split = q * F64x8(0x1p31 + 1), leading = split - (split - q);
    const F64x8 rest = fnma(select(lt(abs(q), F64x8(0x1p22)), round(q), leading), unit, r);
    r = select(ge(abs(r), size) & defined, rest, r);
  }
  return select(defined, copysign(select(lt(r, F64x8(0.0)), r + size, r), a), F64x8(__builtin_nan("")));
}
INL F32x16 remainder(F32x16 a, F32x16 b) {
  return to_f32(remainder(lower_f64(a), lower_f64(b)), remainder(upper_f64(a), upper_f64(b)));
}

}  // namespace gradstep::SIMD_ISA
