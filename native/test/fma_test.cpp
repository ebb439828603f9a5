// The fma of simd/fma.h against the C library's, which is the processor's where it has one.
#define SIMD_ISA scalar
#include "../simd/fma.h"

#include <math.h>

#include "simd_check.h"

namespace {

float reference(float a, float b, float c) { return fmaf(a, b, c); }
double reference(double a, double b, double c) { return fma(a, b, c); }

template <class T> bool right(T a, T b, T c) {
  if (same(scalar::fused(a, b, c), reference(a, b, c))) return true;
  printf("fused(%a, %a, %a) = %a, not %a\n", double(a), double(b), double(c), double(scalar::fused(a, b, c)),
         double(reference(a, b, c)));
  return false;
}

template <class T> T from_bits(uint64_t bits) {
  T x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

template <class T> void special_values_in_every_place() {
  bool ok = true;
  const std::vector<T> values = special_values<T>();
  for (T a : values) {
    for (T b : values) {
      for (T c : values) ok = ok && right(a, b, c);
    }
  }
  check(ok, std::string("special values ") + type_name<T>());
}

// Any bits: all exponents, denormals, infinities, NaN. Few of the sums touch.
template <class T> void any_bits(std::mt19937_64& random) {
  bool ok = true;
  for (int i = 0; i < 2'000'000 && ok; ++i)
    ok = right(from_bits<T>(random()), from_bits<T>(random()), from_bits<T>(random()));
  check(ok, std::string("any bits ") + type_name<T>());
}

// The addend is near the product, or its negative, or near what half a unit of it is, so that sums cancel and tie;
// sparse mantissas make ties exact, and exponents go down to denormals and up to overflow.
template <class T> void sums_that_touch(std::mt19937_64& random) {
  using L = std::numeric_limits<T>;
  bool ok = true;
  const auto number = [&](int exponent) {
    uint64_t mantissa = random() >> 11;
    for (uint64_t sparse = random() % 4; sparse > 0; --sparse) mantissa &= random();
    const T fraction = 1 + T(ldexp(double(mantissa), -53));
    return ldexp(random() % 2 == 0 ? fraction : -fraction, exponent);
  };
  const auto between = [&](int low, int high) { return low + int(random() % uint64_t(high - low + 1)); };
  for (int i = 0; i < 5'000'000 && ok; ++i) {
    const int low = L::min_exponent - L::digits - 3, high = L::max_exponent + 1;
    const int of_product = between(low, high), of_a = between(low / 2, high / 2);
    const T a = number(of_a), b = number(of_product - of_a);
    T c = number(of_product + between(-2 * L::digits - 3, L::digits + 3));
    if (random() % 4 == 0) c = -(a * b);
    if (random() % 8 == 0) c = nextafter(c, L::infinity());
    ok = right(a, b, c);
  }
  check(ok, std::string("sums that touch ") + type_name<T>());
}

template <class T> void all_of() {
  std::mt19937_64 random(1);
  special_values_in_every_place<T>();
  any_bits<T>(random);
  sums_that_touch<T>(random);
}

}  // namespace

int main() {
  all_of<float>();
  all_of<double>();
  return report();
}
