// a * b + c rounded once, in plain C++: for systems whose C library rounds twice (MinGW's does), or is not known not
// to. Slow; the processor's own instruction is what all but the scalar vocabulary uses.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace gradstep::SIMD_ISA {

// The product of two floats is exact in double. Rounding the sum to odd (to the neighbour whose last bit is 1, unless
// it is exact) keeps what the second rounding has to know: double has more than two bits over float.
[[maybe_unused]] static float fused(float a, float b, float c) {
  const double product = double(a) * double(b), addend = c, sum = product + addend;
  if (!(sum - sum == 0)) return float(sum);  // Infinity or NaN
  const double part = sum - product, error = (product - (sum - part)) + (addend - part);
  if (error == 0) return float(sum);
  uint64_t bits;
  __builtin_memcpy(&bits, &sum, sizeof bits);
  if (bits % 2 == 0) bits += (error > 0) == (sum > 0) ? 1 : -1;
  double odd;
  __builtin_memcpy(&odd, &bits, sizeof odd);
  return float(odd);
}

// A finite double other than 0 is -1^negative * mantissa * 2^exponent, the mantissa's highest bit being bit 125, which
// leaves one for the carry of a sum.
struct Unpacked {
  using Wide = unsigned __int128;
  bool negative;
  int exponent;
  Wide mantissa;

  static int highest_bit(Wide x) {
    const uint64_t high = uint64_t(x >> 64);
    return high != 0 ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll(uint64_t(x));
  }
  static Unpacked normalized(bool negative, int exponent, Wide mantissa) {
    const int shift = 125 - highest_bit(mantissa);
    return {negative, exponent - shift, mantissa << shift};
  }
  static Unpacked of(double x) {
    uint64_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    const int biased = int(bits >> 52 & 0x7FF);
    const uint64_t fraction = bits & 0xFFFFFFFFFFFFF;
    return normalized(bits >> 63 != 0, biased == 0 ? -1074 : biased - 1075,
                      biased == 0 ? fraction : fraction | 1ull << 52);
  }

  // Shifted right to a larger exponent; bit 0 says whether a bit below it was lost.
  Wide aligned(int to) const {
    const int shift = to - exponent;
    if (shift == 0) return mantissa;
    if (shift > 125) return 1;
    return mantissa >> shift | ((mantissa << (128 - shift)) != 0 ? 1 : 0);
  }

  double rounded() const {
    const int by_width = exponent + highest_bit(mantissa) - 52;
    const int unit = by_width < -1074 ? -1074 : by_width;  // the exponent of the result's last bit
    const int shift = unit - exponent;
    uint64_t integer = 0;
    if (shift <= 0) {
      integer = uint64_t(mantissa << -shift);
    } else if (shift < 128) {
      integer = uint64_t(mantissa >> shift);
      const Wide rest = mantissa & ((Wide(1) << shift) - 1), half = Wide(1) << (shift - 1);
      if (rest > half || (rest == half && integer % 2 != 0)) ++integer;
    }
    // The mantissa's leading 1 adds one to the exponent, and so does a mantissa that was rounded up to the next power
    // of 2.
    constexpr uint64_t kInfinity = 0x7FFull << 52;
    uint64_t bits = kInfinity;
    if (unit + 1074 < 0x7FF) bits = (uint64_t(unit + 1074) << 52) + integer;
    if (bits > kInfinity) bits = kInfinity;
    bits |= uint64_t(negative) << 63;
    double result;
    __builtin_memcpy(&result, &bits, sizeof result);
    return result;
  }
};

[[maybe_unused]] static double fused(double a, double b, double c) {
  if (!(c - c == 0))
    return a - a == 0 && b - b == 0 ? c : a * b + c;  // a finite product of any size changes no Infinity
  if (!(a - a == 0 && b - b == 0) || a == 0 || b == 0) return a * b + c;
  if (c == 0) return a * b;
  const Unpacked x = Unpacked::of(a), y = Unpacked::of(b), z = Unpacked::of(c);
  const Unpacked::Wide exact = (x.mantissa >> 73) * (y.mantissa >> 73);
  const Unpacked product = Unpacked::normalized(x.negative != y.negative, x.exponent + y.exponent + 146, exact);
  const int exponent = product.exponent > z.exponent ? product.exponent : z.exponent;
  const Unpacked::Wide p = product.aligned(exponent), q = z.aligned(exponent);
  if (product.negative == z.negative) return Unpacked{z.negative, exponent, p + q}.rounded();
  if (p == q) return 0;
  return p > q ? Unpacked{product.negative, exponent, p - q}.rounded()
               : Unpacked{z.negative, exponent, q - p}.rounded();
}

}  // namespace gradstep::SIMD_ISA
