// How many quarter turns an angle is, for angles of any size, in whole numbers: exact where a product with 2 / pi would
// have lost everything (Payne and Hanek's method).
#pragma once
#include "simd.h"

namespace gradstep::SIMD_ISA {

// x 2 / pi = 4 k + quadrant + high + low, with quadrant 0, 1, 2 or 3, |high| <= 1 / 2 and low below high's last place.
struct QuarterTurns { double quadrant, high, low; };

// The bits of 2 / pi, behind 64 zeros.
constexpr uint64_t kTwoByPi[] = {0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
                                 0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
                                 0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
                                 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
                                 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab};

// Of a finite |x| >= 2^29.
[[maybe_unused]] static QuarterTurns quarter_turns(double x) {
  using Wide = unsigned __int128;
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  // |x| = mantissa 2^exponent. Bits of 2 / pi that make multiples of 4 quarters are left out, and those that make less
  // than 2^-137 of one: no double is nearer than 2^-62 to a multiple of pi / 2.
  const uint64_t mantissa = (bits & 0xFFFFFFFFFFFFF) | 1ull << 52;
  const size_t start = size_t(bits >> 52 & 0x7FF) - 1075 + 62, word = start / 64, shift = start % 64;
  uint64_t window[3];
  for (size_t i = 0; i < 3; ++i) {
    const uint64_t* const at = kTwoByPi + word + i;
    window[i] = shift == 0 ? at[0] : at[0] << shift | at[1] >> (64 - shift);
  }
  const Wide low = Wide(window[2]) * mantissa, middle = Wide(window[1]) * mantissa + uint64_t(low >> 64);
  const uint64_t top = window[0] * mantissa + uint64_t(middle >> 64);
  // The highest two bits are the quadrant, what follows is a fraction; from a half on it is one below the next
  // quadrant.
  const Wide product = Wide(top) << 64 | uint64_t(middle);
  const Wide fraction = product << 2 | uint64_t(low) >> 62;
  const bool is_upper = fraction >> 127 != 0;
  const Wide magnitude = is_upper ? -fraction : fraction;
  const double parts[4] = {double(uint32_t(magnitude >> 96)) * 0x1p-32, double(uint32_t(magnitude >> 64)) * 0x1p-64,
                           double(uint32_t(magnitude >> 32)) * 0x1p-96, double(uint32_t(magnitude)) * 0x1p-128};
  const double sum = parts[0] + parts[1], rest = (parts[1] - (sum - parts[0])) + (parts[2] + parts[3]);
  const double high = sum + rest, small = rest - (high - sum);
  const bool negative = bits >> 63 != 0;
  const unsigned quadrant = unsigned(top >> 62) + is_upper;
  const double sign = is_upper != negative ? -1 : 1;
  return {double((negative ? 4 - quadrant : quadrant) & 3), sign * high, sign * small};
}

}  // namespace gradstep::SIMD_ISA
