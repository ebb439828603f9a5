// Holds simd/math.h against the C library in long double, and its special values against what its comments state.
// Any argument prints the errors. Tests the scalar functions; simd_test shows that the other ISAs give the same bytes.
#include <math.h>

#include <algorithm>
#include <cmath>

#include "simd_check.h"

namespace {

// |actual - expected| in units of the last place of T at expected, at least one denormal step.
template <class T> double ulp_error(T actual, long double expected) {
  const T nearest = T(expected);
  if (nearest != nearest || std::isinf(nearest) || expected == 0) return same(actual, nearest) ? 0 : INFINITY;
  if (!std::isfinite(actual) || std::signbit(actual) != std::signbit(nearest)) return INFINITY;
  using L = std::numeric_limits<T>;
  const int exponent = std::max(ilogbl(expected), L::min_exponent - 1);
  return double(fabsl(actual - expected) / ldexpl(1, exponent - L::digits + 1));
}

struct Accuracy {
  const char* op;
  long double (*reference)(long double a, long double b);
  double low, high;  // a is drawn from here, evenly and by its logarithm; special values are tried too
  double b_low, b_high;
  double bound32, bound64;    // ulp
  bool with_specials = true;  // try every pair of special values too
};

long double normal_tail(long double x) { return erfcl(fabsl(x) * sqrtl(0.5L)) / 2; }
long double softplus(long double x) { return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x))); }
long double sigmoid(long double x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }

const Accuracy kAccuracy[] = {
    {"exp", [](long double a, long double) { return expl(a); }, -110, 90, 0, 0, 1, 1},
    {"exp", [](long double a, long double) { return expl(a); }, -750, 711, 0, 0, 1, 1},
    {"log", [](long double a, long double) { return logl(a); }, 0, 3, 0, 0, 1, 1},
    {"log", [](long double a, long double) { return logl(a); }, 0, 3e38, 0, 0, 1, 1},
    {"log1p", [](long double a, long double) { return log1pl(a); }, -1, 3, 0, 0, 1, 1},
    {"log1p", [](long double a, long double) { return log1pl(a); }, -1, 3e38, 0, 0, 1, 1},
    {"tanh", [](long double a, long double) { return tanhl(a); }, -22, 22, 0, 0, 2, 2},
    {"tanh", [](long double a, long double) { return tanhl(a); }, -1, 1, 0, 0, 2, 2},
    {"sigmoid", [](long double a, long double) { return sigmoid(a); }, -110, 40, 0, 0, 2, 2},
    {"sigmoid", [](long double a, long double) { return sigmoid(a); }, -750, 40, 0, 0, 2, 2},
    {"pow", [](long double a, long double b) { return powl(a, b); }, 1e-6, 1e6, -2, 2, 1, 2, false},
    {"pow", [](long double a, long double b) { return powl(a, b); }, 0, 1e30, -20, 20, 1, 3},
    {"pow", [](long double a, long double b) { return powl(a, b); }, 0.5, 2, -1000, 1000, 1, 2, false},
    {"expm1", [](long double a, long double) { return expm1l(a); }, -120, 90, 0, 0, 2, 2},
    {"expm1", [](long double a, long double) { return expm1l(a); }, -2, 711, 0, 0, 2, 2},
    {"sinh", [](long double a, long double) { return sinhl(a); }, -90, 90, 0, 0, 2, 2},
    {"sinh", [](long double a, long double) { return sinhl(a); }, -2, 711, 0, 0, 2, 2},
    {"cosh", [](long double a, long double) { return coshl(a); }, -90, 90, 0, 0, 2, 2},
    {"cosh", [](long double a, long double) { return coshl(a); }, -2, 711, 0, 0, 2, 2},
    {"softplus", [](long double a, long double) { return softplus(a); }, -110, 90, 0, 0, 2, 2},
    {"softplus", [](long double a, long double) { return softplus(a); }, -750, 2, 0, 0, 2, 2},
    {"sin", [](long double a, long double) { return sinl(a); }, -7, 7, 0, 0, 1, 1},
    {"sin", [](long double a, long double) { return sinl(a); }, -3e9, 3e38, 0, 0, 1, 1},
    {"cos", [](long double a, long double) { return cosl(a); }, -7, 7, 0, 0, 1, 1},
    {"cos", [](long double a, long double) { return cosl(a); }, -3e9, 3e38, 0, 0, 1, 1},
    {"tan", [](long double a, long double) { return tanl(a); }, -7, 7, 0, 0, 1, 1},
    {"tan", [](long double a, long double) { return tanl(a); }, -3e9, 3e38, 0, 0, 1, 1},
    {"asin", [](long double a, long double) { return asinl(a); }, -1, 1, 0, 0, 2, 2},
    {"acos", [](long double a, long double) { return acosl(a); }, -1, 1, 0, 0, 2, 2},
    {"atan", [](long double a, long double) { return atanl(a); }, -4, 4, 0, 0, 2, 2},
    {"atan", [](long double a, long double) { return atanl(a); }, -1e30, 1e30, 0, 0, 2, 2},
    {"atan2", [](long double a, long double b) { return atan2l(a, b); }, -4, 4, -4, 4, 2, 2},
    {"atan2", [](long double a, long double b) { return atan2l(a, b); }, -1e30, 1e30, -1e-30, 1e-30, 2, 2},
    {"erf", [](long double a, long double) { return erfl(a); }, -6, 6, 0, 0, 2, 2},
    {"erfc", [](long double a, long double) { return erfcl(a); }, -6, 28, 0, 0, 1, 3},
    {"normal_tail", [](long double a, long double) { return normal_tail(a); }, -13.2, 13.2, 0, 0, 4, 4},
    {"normal_tail", [](long double a, long double) { return normal_tail(a); }, -16, 39, 0, 0, INFINITY, 4},
    {"remainder", [](long double a, long double b) { return fmodl(a, b); }, -1e30, 1e30, -20, 20, 0, 0},
    {"remainder", [](long double a, long double b) { return fmodl(a, b); }, -1e30, 1e30, 0, 1e-30, 0, 0},
    {"remainder", [](long double a, long double b) { return fmodl(a, b); }, 1e290, 1e300, 1e-310, 1e-290, 0, 0, false},
};

template <class T> void accuracy(const Accuracy& test, size_t samples, bool print) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> even(test.low, test.high), unit(0, 1), b_even(test.b_low, test.b_high);
  std::vector<T> a, b;
  const auto add = [&](T x, T y) { a.push_back(x), b.push_back(y); };
  if (test.with_specials)
    for (T x : special_values<T>())
      for (T y : special_values<T>()) add(x, y);
  while (a.size() < samples || a.size() % 16 != 0) {
    const double edge = random() % 2 && test.low < 0 ? test.low : test.high;
    const double smallest = test.low > 0 ? test.low : sizeof(T) == 4 ? 1e-40 : 1e-310;
    add(T(even(random)), T(b_even(random)));
    add(T(edge * pow(smallest / fabs(edge), unit(random))), T(b_even(random)));
  }
  std::vector<T> out(a.size());
  scalar_op<T>(test.op).run(a.data(), b.data(), a.data(), out.data(), a.size());
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double error = ulp_error(out[i], test.reference(a[i], b[i]));
    if (error > worst) worst = error, at = i;
  }
  // Where long double is double, the reference itself is off by up to one.
  const bool exact_reference = std::numeric_limits<long double>::digits > std::numeric_limits<T>::digits;
  const double bound = (sizeof(T) == 4 ? test.bound32 : test.bound64) + (exact_reference ? 0 : 1);
  char what[300];
  snprintf(what, sizeof what, "%s %-7s on [%g, %g]: %.3f ulp of %.1f allowed, at a=%a b=%a giving %a", type_name<T>(),
           test.op, test.low, test.high, worst, bound, double(a[at]), double(b[at]), double(out[at]));
  if (print) puts(what);
  check(worst <= bound, what);
}

template <class T> void stated_results() {
  using L = std::numeric_limits<T>;
  const T inf = L::infinity(), nan = L::quiet_NaN(), tiny = L::denorm_min(), least = L::min(), most = L::max();
  const T overflow = sizeof(T) == 4 ? T(88.73) : T(709.79), underflow = sizeof(T) == 4 ? T(-103.98) : T(-745.14);
  check_stated<T>({{"exp", nan, 0, nan},
                   {"exp", inf, 0, inf},
                   {"exp", -inf, 0, 0},
                   {"exp", 0, 0, 1},
                   {"exp", T(-0.0), 0, 1},
                   {"exp", tiny, 0, 1},
                   {"exp", overflow, 0, inf},
                   {"exp", underflow, 0, 0},
                   {"exp", most, 0, inf},
                   {"exp", -most, 0, 0},
                   {"exp", underflow + T(0.7), 0, tiny},
                   {"sigmoid", nan, 0, nan},
                   {"sigmoid", inf, 0, 1},
                   {"sigmoid", -inf, 0, 0},
                   {"sigmoid", T(-0.0), 0, T(0.5)},
                   {"sigmoid", tiny, 0, T(0.5)},
                   {"sigmoid", most, 0, 1},
                   {"sigmoid", -most, 0, 0},
                   {"sigmoid", underflow + T(0.7), 0, tiny},
                   {"tanh", nan, 0, nan},
                   {"tanh", inf, 0, 1},
                   {"tanh", -inf, 0, -1},
                   {"tanh", 0, 0, 0},
                   {"tanh", T(-0.0), 0, T(-0.0)},
                   {"tanh", -tiny, 0, -tiny},
                   {"tanh", least, 0, least},
                   {"tanh", most, 0, 1},
                   {"tanh", sizeof(T) == 4 ? T(10) : T(20), 0, 1},
                   {"log", nan, 0, nan},
                   {"log", inf, 0, inf},
                   {"log", -inf, 0, nan},
                   {"log", 0, 0, -inf},
                   {"log", T(-0.0), 0, -inf},
                   {"log", -tiny, 0, nan},
                   {"log", 1, 0, 0},
                   {"log", tiny, 0, T(logl(tiny))},
                   {"log", most, 0, T(logl(most))},
                   {"log1p", nan, 0, nan},
                   {"log1p", inf, 0, inf},
                   {"log1p", -inf, 0, nan},
                   {"log1p", -1, 0, -inf},
                   {"log1p", -2, 0, nan},
                   {"log1p", 0, 0, 0},
                   {"log1p", T(-0.0), 0, T(-0.0)},
                   {"log1p", -tiny, 0, -tiny},
                   {"log1p", tiny, 0, tiny},
                   {"pow", nan, 0, 1},
                   {"pow", 1, nan, 1},
                   {"pow", nan, 1, nan},
                   {"pow", 2, nan, nan},
                   {"pow", -1, nan, nan},
                   {"pow", -1, inf, 1},
                   {"pow", -2, T(0.5), nan},
                   {"pow", -2, 3, -8},
                   {"pow", -2, 2, 4},
                   {"pow", 0, -1, inf},
                   {"pow", T(-0.0), -1, -inf},
                   {"pow", T(-0.0), T(0.5), 0},
                   {"pow", -inf, 3, -inf},
                   {"pow", -inf, T(0.5), inf},
                   {"pow", inf, -1, 0},
                   {"pow", most, 2, inf},
                   {"pow", least, 2, 0},
                   {"pow", 2, T(L::min_exponent - L::digits), tiny},
                   {"pow", 10, 2, 100},
                   {"pow", T(0.5), inf, 0},
                   {"pow", 2, -inf, 0}});
}

}  // namespace

int main(int argc, char**) {
  stated_results<float>();
  stated_results<double>();
  for (const Accuracy& test : kAccuracy) {
    accuracy<float>(test, 40000, argc > 1);
    accuracy<double>(test, 40000, argc > 1);
  }
  return report();
}
