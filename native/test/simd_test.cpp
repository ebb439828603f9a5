// Holds the vector vocabulary of every ISA this machine can run against the scalar one, byte for byte.
// With the argument `exhaustive` sqrt_from is tried with every number and every approximation, which takes some
// minutes.
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>

#include "simd_check.h"

namespace {

// Every pair of special values, then random bits, random small numbers, and now and then the number next door.
template <class T> struct Inputs {
  std::vector<T> a, b, c;
  Inputs() {
    std::mt19937_64 random(7);
    const auto specials = special_values<T>();
    const auto any_bits = [&] {
      const uint64_t bits = random();
      T x;
      memcpy(&x, &bits, sizeof x);
      return x;
    };
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
  void add(T x, T y, T z) {
    a.push_back(x);
    b.push_back(y);
    c.push_back(z);
  }
};

// ---- the same bytes on every ISA ----

template <class T> void compare_with_scalar(const SimdTable& table) {
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
    if (i < n)
      snprintf(what, sizeof what, "a=%a b=%a c=%a gives %a, scalar %a", double(in.a[i]), double(in.b[i]),
               double(in.c[i]), double(r[i]), double(e[i]));
    check(i == n,
          std::string(table.isa) + " " + type_name<T>() + " " + expected.ops[k].name + " differs from scalar: " + what);
  }
}

// ---- partial loads and stores stay inside their n lanes ----

template <class T> void partial_access(const SimdTable& table) {
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

// ---- stated results ----

template <class T> void stated_results() {
  using L = std::numeric_limits<T>;
  const T inf = L::infinity(), nan = L::quiet_NaN(), tiny = L::denorm_min(), least = L::min(), most = L::max();
  check_stated<T>({{"min", nan, 1, 1},
                   {"min", 1, nan, nan},
                   {"min", T(0), T(-0.0), T(-0.0)},
                   {"min", T(-0.0), T(0), T(0)},
                   {"max", nan, 1, 1},
                   {"max", 1, nan, nan},
                   {"max", T(0), T(-0.0), T(-0.0)},
                   {"max", T(-0.0), T(0), T(0)},
                   {"minimum", nan, 1, nan},
                   {"minimum", 1, nan, nan},
                   {"maximum", nan, 1, nan},
                   {"maximum", 1, nan, nan},
                   {"reduce_max", nan, 0, nan},
                   {"reduce_add", 1, 0, T(64 / sizeof(T))},
                   {"ne", nan, nan, 1},
                   {"eq", nan, nan, 0},
                   {"round", T(0.5), 0, 0},
                   {"round", T(1.5), 0, 2},
                   {"round", T(2.5), 0, 2},
                   {"round", T(-0.5), 0, T(-0.0)},
                   {"round", most, 0, most},
                   {"floor", T(-0.5), 0, -1},
                   {"floor", T(0.5), 0, 0},
                   {"floor", T(-0.0), 0, T(-0.0)},
                   {"floor", -inf, 0, -inf},
                   {"pow2", -126, 0, T(0x1p-126)},
                   {"pow2", 127, 0, T(0x1p127)},
                   {"exponent", T(-6), 0, 2},
                   {"mantissa", T(-6), 0, T(1.5)},
                   {"exponent", least, 0, T(L::min_exponent - 1)},
                   {"exponent", tiny, 0, T(L::min_exponent - 2)},
                   {"exponent", inf, 0, T(L::max_exponent)}});
}

// ---- roots ----

float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

// The root of every `stride`th number there is.
void roots(const SimdTable& table, uint64_t stride) {
  constexpr size_t n = 1 << 12;
  std::vector<float> a(n), expected(n), r(n);
  uint64_t next = 0;
  bool ok = true;
  while (next < uint64_t(1) << 32) {
    for (float& x : a) x = float_of(uint32_t(next)), next += stride;
    find_op<float>(scalar::kSimdTable, "sqrt").run(a.data(), a.data(), a.data(), expected.data(), n);
    find_op<float>(table, "sqrt").run(a.data(), a.data(), a.data(), r.data(), n);
    for (size_t i = 0; i < n; ++i) ok &= same(r[i], expected[i]);
  }
  check(ok, std::string(table.isa) + " sqrt of some number");
}

// sqrt_from for every `a_stride`th number of [1, 4), which stands for all others times 4^n, with every `y_stride`th y
// that is within 2^-14 of 1 / sqrt(a).
void roots_from_approximations(const SimdTable& table, uint32_t a_stride, uint32_t y_stride) {
  const auto sqrt_from = find_op<float>(table, "sqrt_from").run;
  constexpr size_t n = 1 << 12;  // more than there are of y
  std::vector<float> a(n), y(n), r(n);
  size_t wrong = 0;
  uint32_t phase = 0;
  for (uint32_t bits = bits_of(1); bits < bits_of(4); bits += a_stride) {
    const float x = float_of(bits), root = std::sqrt(x);
    const double inverse = 1 / std::sqrt(double(x));
    const uint32_t last = bits_of(float(inverse * (1 + 0x1p-14))) + 1;
    size_t count = 0;
    for (uint32_t b = bits_of(float(inverse * (1 - 0x1p-14))) - 1 + phase++ % y_stride; b <= last; b += y_stride)
      y[count++] = float_of(b);
    while (count % 16 != 0) y[count] = y[count - 1], ++count;
    std::fill(a.begin(), a.begin() + ptrdiff_t(count), x);
    sqrt_from(a.data(), y.data(), a.data(), r.data(), count);
    for (size_t i = 0; i < count; ++i) wrong += r[i] != root;
  }
  check(wrong == 0, std::string(table.isa) + " sqrt_from: " + std::to_string(wrong) + " wrong");
}

}  // namespace

int main(int argument_count, char** arguments) {
  const bool exhaustive = argument_count > 1 && strcmp(arguments[1], "exhaustive") == 0;
  setvbuf(stdout, nullptr, _IOLBF, 0);  // what failed is on the screen when a bad access ends the process
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
    if (table != &scalar::kSimdTable) {
      compare_with_scalar<float>(*table);
      compare_with_scalar<double>(*table);
    }
    partial_access<float>(*table);
    partial_access<double>(*table);
    roots(*table, exhaustive ? 1 : 2039);
    if (!exhaustive) roots_from_approximations(*table, 8191, 7);
  }
  if (exhaustive) roots_from_approximations(*tables[tables.size() > 1], 1, 1);
  stated_results<float>();
  stated_results<double>();
  return report();
}
