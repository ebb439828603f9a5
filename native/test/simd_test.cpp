// Holds the vector vocabulary of every ISA this machine can run against the scalar one, byte for byte,
// and the elementary functions against the C library in long double.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "simd_ops.h"

using namespace gradstep;

static int passed = 0, failed = 0;

static void check(bool ok, const std::string& what) {
  ++(ok ? passed : failed);
  if (!ok) printf("FAILED %s\n", what.c_str());
}

template <class T> static const char* type_name() { return sizeof(T) == 4 ? "f32" : "f64"; }
template <class T> static const SimdOps<T>& ops_of(const SimdTable& t) {
  if constexpr (sizeof(T) == 4) return t.f32; else return t.f64;
}
template <class T> static bool same(T a, T b) { return (a != a && b != b) || memcmp(&a, &b, sizeof a) == 0; }

// ---- inputs ----

template <class T> static std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  std::vector<T> v;
  for (T x : {T(0), L::denorm_min(), L::min() / 2, L::min(), L::epsilon(), T(0.25), T(0.5), T(1), 1 + L::epsilon(), T(1.5), T(2), T(2.5),
              T(3), T(7), T(88.7), T(103), T(1000), 1 / L::epsilon() - T(0.5), 1 / L::epsilon(), 2 / L::epsilon() + 1, L::max(),
              L::infinity(), L::quiet_NaN()}) {
    v.push_back(x);
    v.push_back(-x);
  }
  return v;
}

// Every pair of special values, then random bits, random small numbers, and now and then the number next door.
template <class T> struct Inputs {
  std::vector<T> a, b, c;
  Inputs() {
    std::mt19937_64 random(7);
    const auto specials = special_values<T>();
    const auto any_bits = [&] { const uint64_t bits = random(); T x; memcpy(&x, &bits, sizeof x); return x; };
    const auto small = [&] { return T(int64_t(random() % 2001) - 1000) / 64; };
    for (T x : specials)
      for (T y : specials) add(x, y, specials[random() % specials.size()]);
    while (a.size() % 64 != 0 || a.size() < 20000) {
      add(any_bits(), any_bits(), any_bits());
      add(small(), small(), small());
      const T x = small();
      add(x, random() % 4 ? x + 1 : x, any_bits());
    }
  }
  void add(T x, T y, T z) { a.push_back(x); b.push_back(y); c.push_back(z); }
};

// ---- the same bytes on every ISA ----

template <class T> static void compare_with_scalar(const SimdTable& table) {
  static const Inputs<T> in;
  const size_t n = in.a.size();
  const SimdOps<T>&expected = ops_of<T>(scalar::kSimdTable), &actual = ops_of<T>(table);
  for (size_t k = 0; k < expected.count; ++k) {
    std::vector<T> e(n), r(n);
    expected.ops[k].run(in.a.data(), in.b.data(), in.c.data(), e.data(), n);
    actual.ops[k].run(in.a.data(), in.b.data(), in.c.data(), r.data(), n);
    size_t i = 0;
    while (i < n && same(e[i], r[i])) ++i;
    char what[300] = "";
    if (i < n) snprintf(what, sizeof what, "a=%a b=%a c=%a gives %a, scalar %a", double(in.a[i]), double(in.b[i]), double(in.c[i]), double(r[i]), double(e[i]));
    check(i == n, std::string(table.isa) + " " + type_name<T>() + " " + expected.ops[k].name + " differs from scalar: " + what);
  }
}

// ---- partial loads and stores stay inside their n lanes ----

template <class T> static void partial_access(const SimdTable& table) {
  const SimdOps<T>& ops = ops_of<T>(table);
  const std::string who = std::string(table.isa) + " " + type_name<T>();
  const size_t page = size_t(sysconf(_SC_PAGESIZE));
  char* pages = static_cast<char*>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0) return check(false, "mmap");
  T* const end = reinterpret_cast<T*>(pages + page);  // the next byte cannot be touched
  for (size_t n = 0; n <= ops.lanes; ++n) {
    T lanes[16], canary[32];
    for (size_t i = 0; i < 16; ++i) lanes[i] = -1;
    for (size_t i = 0; i < n; ++i) end[ptrdiff_t(i) - ptrdiff_t(n)] = T(i + 1);
    ops.load(end - n, n, lanes);
    bool ok = true;
    for (size_t i = 0; i < ops.lanes; ++i) ok &= same(lanes[i], i < n ? T(i + 1) : T(0));
    check(ok, who + " partial load of " + std::to_string(n));

    for (size_t i = 0; i < 16; ++i) lanes[i] = T(100 + i);
    for (T& x : canary) x = 7;
    ops.store(end - n, lanes, n);
    ops.store(canary + 8, lanes, n);
    ok = true;
    for (size_t i = 0; i < n; ++i) ok &= end[ptrdiff_t(i) - ptrdiff_t(n)] == lanes[i];
    for (size_t i = 0; i < 32; ++i) ok &= canary[i] == (i >= 8 && i < 8 + n ? lanes[i - 8] : T(7));
    check(ok, who + " partial store of " + std::to_string(n));
  }
  munmap(pages, 2 * page);
}

// ---- accuracy of the elementary functions (scalar; the other ISAs give the same bytes) ----

// |actual - expected| in units of the last place of T at expected, at least one denormal step.
template <class T> static double ulp_error(T actual, long double expected) {
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
  double low, high;            // a is drawn from here, evenly and by its logarithm; special values are tried too
  double b_low, b_high;
  double bound32, bound64;     // ulp
  bool with_specials = true;   // try every pair of special values too
};

static long double sigmoid(long double x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }

static const Accuracy kAccuracy[] = {
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
};

template <class T> static void accuracy(const Accuracy& test, size_t samples, bool print) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> even(test.low, test.high), unit(0, 1), b_even(test.b_low, test.b_high);
  std::vector<T> a, b;
  for (T x : special_values<T>())
    for (T y : special_values<T>())
      if (test.with_specials) { a.push_back(x); b.push_back(y); }
  while (a.size() < samples || a.size() % 16 != 0) {
    const double edge = random() % 2 && test.low < 0 ? test.low : test.high;
    const double smallest = test.low > 0 ? test.low : sizeof(T) == 4 ? 1e-40 : 1e-310;
    a.push_back(T(even(random))); b.push_back(T(b_even(random)));
    a.push_back(T(edge * pow(smallest / fabs(edge), unit(random)))); b.push_back(T(b_even(random)));
  }
  const SimdOps<T>& ops = ops_of<T>(scalar::kSimdTable);
  const SimdOp<T>* op = ops.ops;
  while (strcmp(op->name, test.op) != 0) ++op;
  std::vector<T> out(a.size());
  op->run(a.data(), b.data(), a.data(), out.data(), a.size());
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double error = ulp_error(out[i], test.reference(a[i], b[i]));
    if (error > worst) { worst = error; at = i; }
  }
  const double bound = sizeof(T) == 4 ? test.bound32 : test.bound64;
  char what[300];
  snprintf(what, sizeof what, "%s %-7s on [%g, %g]: %.3f ulp of %.1f allowed, at a=%a b=%a giving %a", type_name<T>(), test.op, test.low, test.high, worst, bound, double(a[at]), double(b[at]), double(out[at]));
  if (print) puts(what);
  check(worst <= bound, what);
}

// ---- stated special values ----

template <class T> static T apply(const char* name, T a, T b) {
  const SimdOps<T>& ops = ops_of<T>(scalar::kSimdTable);
  const SimdOp<T>* op = ops.ops;
  while (strcmp(op->name, name) != 0) ++op;
  T va[16], vb[16], out[16];
  for (int i = 0; i < 16; ++i) { va[i] = a; vb[i] = b; }
  op->run(va, vb, va, out, ops.lanes);
  return out[0];
}

template <class T> static void special_results() {
  using L = std::numeric_limits<T>;
  const T inf = L::infinity(), nan = L::quiet_NaN(), tiny = L::denorm_min(), least = L::min(), most = L::max();
  const T overflow = sizeof(T) == 4 ? T(88.73) : T(709.79), underflow = sizeof(T) == 4 ? T(-103.98) : T(-745.14);
  const struct { const char* op; T a, b, expected; } cases[] = {
      {"min", nan, 1, 1}, {"min", 1, nan, nan}, {"min", T(0), T(-0.0), T(-0.0)}, {"min", T(-0.0), T(0), T(0)},
      {"max", nan, 1, 1}, {"max", 1, nan, nan}, {"max", T(0), T(-0.0), T(-0.0)}, {"max", T(-0.0), T(0), T(0)},
      {"minimum", nan, 1, nan}, {"minimum", 1, nan, nan}, {"maximum", nan, 1, nan}, {"maximum", 1, nan, nan},
      {"reduce_max", nan, 0, nan}, {"reduce_add", 1, 0, T(64 / sizeof(T))}, {"ne", nan, nan, 1}, {"eq", nan, nan, 0},
      {"round", T(0.5), 0, 0}, {"round", T(1.5), 0, 2}, {"round", T(2.5), 0, 2}, {"round", T(-0.5), 0, T(-0.0)}, {"round", most, 0, most},
      {"floor", T(-0.5), 0, -1}, {"floor", T(0.5), 0, 0}, {"floor", T(-0.0), 0, T(-0.0)}, {"floor", -inf, 0, -inf},
      {"pow2", -126, 0, T(0x1p-126)}, {"pow2", 127, 0, T(0x1p127)},
      {"exponent", T(-6), 0, 2}, {"mantissa", T(-6), 0, T(1.5)}, {"exponent", least, 0, T(L::min_exponent - 1)},
      {"exponent", tiny, 0, T(L::min_exponent - 2)}, {"exponent", inf, 0, T(L::max_exponent)},
      {"exp", nan, 0, nan}, {"exp", inf, 0, inf}, {"exp", -inf, 0, 0}, {"exp", 0, 0, 1}, {"exp", T(-0.0), 0, 1}, {"exp", tiny, 0, 1},
      {"exp", overflow, 0, inf}, {"exp", underflow, 0, 0}, {"exp", most, 0, inf}, {"exp", -most, 0, 0}, {"exp", underflow + T(0.7), 0, tiny},
      {"sigmoid", nan, 0, nan}, {"sigmoid", inf, 0, 1}, {"sigmoid", -inf, 0, 0}, {"sigmoid", T(-0.0), 0, T(0.5)}, {"sigmoid", tiny, 0, T(0.5)},
      {"sigmoid", most, 0, 1}, {"sigmoid", -most, 0, 0}, {"sigmoid", underflow + T(0.7), 0, tiny},
      {"tanh", nan, 0, nan}, {"tanh", inf, 0, 1}, {"tanh", -inf, 0, -1}, {"tanh", 0, 0, 0}, {"tanh", T(-0.0), 0, T(-0.0)}, {"tanh", -tiny, 0, -tiny},
      {"tanh", least, 0, least}, {"tanh", most, 0, 1}, {"tanh", sizeof(T) == 4 ? T(10) : T(20), 0, 1},
      {"log", nan, 0, nan}, {"log", inf, 0, inf}, {"log", -inf, 0, nan}, {"log", 0, 0, -inf}, {"log", T(-0.0), 0, -inf}, {"log", -tiny, 0, nan},
      {"log", 1, 0, 0}, {"log", tiny, 0, T(logl(tiny))}, {"log", most, 0, T(logl(most))},
      {"log1p", nan, 0, nan}, {"log1p", inf, 0, inf}, {"log1p", -inf, 0, nan}, {"log1p", -1, 0, -inf}, {"log1p", -2, 0, nan}, {"log1p", 0, 0, 0},
      {"log1p", T(-0.0), 0, T(-0.0)}, {"log1p", -tiny, 0, -tiny}, {"log1p", tiny, 0, tiny},
      {"pow", nan, 0, 1}, {"pow", 1, nan, 1}, {"pow", nan, 1, nan}, {"pow", 2, nan, nan}, {"pow", -1, nan, nan}, {"pow", -1, inf, 1}, {"pow", -2, T(0.5), nan},
      {"pow", -2, 3, -8}, {"pow", -2, 2, 4}, {"pow", 0, -1, inf}, {"pow", T(-0.0), -1, -inf}, {"pow", T(-0.0), T(0.5), 0}, {"pow", -inf, 3, -inf},
      {"pow", -inf, T(0.5), inf}, {"pow", inf, -1, 0}, {"pow", most, 2, inf}, {"pow", least, 2, 0}, {"pow", 2, T(L::min_exponent - L::digits), tiny},
      {"pow", 10, 2, 100}, {"pow", T(0.5), inf, 0}, {"pow", 2, -inf, 0}};
  for (const auto& c : cases) {
    const T r = apply(c.op, c.a, c.b);
    char what[200];
    snprintf(what, sizeof what, "%s %s(%g, %g) is %a, expected %a", type_name<T>(), c.op, double(c.a), double(c.b), double(r), double(c.expected));
    check(same(r, c.expected), what);
  }
}

int main(int argc, char**) {
  const bool print_accuracy = argc > 1;  // any argument
  std::vector<const SimdTable*> tables = {&scalar::kSimdTable};
#if defined(__x86_64__)
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (has_avx2) tables.push_back(&avx2::kSimdTable);
  if (avx512::kSimdTable.emulated ? has_avx2 : has_avx512) tables.push_back(&avx512::kSimdTable);
#elif defined(__aarch64__)
  tables.push_back(&neon::kSimdTable);
#endif
  for (const SimdTable* table : tables) {
    printf("%s%s\n", table->isa, table->emulated ? " (emulated)" : "");
    if (table != &scalar::kSimdTable) { compare_with_scalar<float>(*table); compare_with_scalar<double>(*table); }
    partial_access<float>(*table);
    partial_access<double>(*table);
  }
  special_results<float>();
  special_results<double>();
  for (const Accuracy& test : kAccuracy) { accuracy<float>(test, 40000, print_accuracy); accuracy<double>(test, 40000, print_accuracy); }
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
