// Random numbers on every instruction set of this machine: their words against a plain Philox4x32-10, and that against
// the vectors that Random123 publishes; normal numbers against the C library's distribution; any part of a draw against
// the whole.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../drivers/random.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "check.h"

using namespace gradstep;

namespace {

struct Block { uint32_t word[4]; };

Block philox(const Draw& draw, uint64_t block) {
  const uint64_t counter = draw.counter + block;
  uint32_t c[4] = {uint32_t(counter), uint32_t(counter >> 32), uint32_t(draw.stream), uint32_t(draw.stream >> 32)};
  uint32_t key[2] = {uint32_t(draw.key), uint32_t(draw.key >> 32)};
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(c[0]) * 0xd2511f53u, p2 = uint64_t(c[2]) * 0xcd9e8d57u;
    const uint32_t next[4] = {uint32_t(p2 >> 32) ^ c[1] ^ key[0], uint32_t(p2), uint32_t(p0 >> 32) ^ c[3] ^ key[1],
                              uint32_t(p0)};
    memcpy(c, next, sizeof c);
    key[0] += 0x9e3779b9u;
    key[1] += 0xbb67ae85u;
  }
  return {{c[0], c[1], c[2], c[3]}};
}

std::vector<uint32_t> words_of(const Draw& draw, size_t count) {
  std::vector<uint32_t> words(count);
  for (size_t i = 0; i < count; ++i) words[i] = philox(draw, i / 4).word[i % 4];
  return words;
}

// ---- the published vectors ----

constexpr uint64_t kAll = ~uint64_t(0);

struct Known {
  Draw draw;
  uint32_t words[4];
};

const Known kKnown[] = {
    {{0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{kAll, kAll, kAll}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

// A word is what it is when it is below the number after it and not below itself.
template <class T> void check_words(const KernelTable& table, const Draw& draw, const std::vector<uint32_t>& words) {
  const size_t n = words.size();
  std::vector<T> flags(n);
  bool ok = true;
  for (size_t i = 0; i < n; ++i) {
    of<T>(table).random_bernoulli(flags.data(), draw, words[i], n);
    ok = ok && flags[i] == 0;
    if (words[i] == 0xffffffff) continue;
    of<T>(table).random_bernoulli(flags.data(), draw, words[i] + 1, n);
    ok = ok && flags[i] == 1;
  }
  check(ok, std::string(table.isa) + ": the words of a draw");
}

template <class T> void check_known(const KernelTable& table) {
  for (const Known& known : kKnown) {
    check(words_of(known.draw, 4) == std::vector<uint32_t>(known.words, known.words + 4), "the test's own Philox");
    check_words<T>(table, known.draw, words_of(known.draw, 4));
  }
  for (const Draw& draw : {Draw{1, 2, 3}, Draw{kAll, 1, 0xfffffffd}, Draw{1, kAll, kAll - 9}}) {
    for (const size_t n : {1, 5, 31, 32, 33, 75}) check_words<T>(table, draw, words_of(draw, n));
  }
}

// ---- the distributions ----

template <class T> double unit_of(const std::vector<uint32_t>& words, size_t i) {
  if (sizeof(T) == 4) return double(words[i] >> 8) * 0x1p-24;
  return double((words[2 * i] | uint64_t(words[2 * i + 1]) << 32) >> 11) * 0x1p-53;
}

template <class T> void check_uniform(const KernelTable& table) {
  for (const size_t n : {1, 7, 16, 40, 1000}) {
    const Draw draw = {12345, 6, 7 + n};
    const std::vector<uint32_t> words = words_of(draw, n * sizeof(T) / 4);
    std::vector<T> out(n);
    of<T>(table).random_uniform(out.data(), draw, 0, 1, T(1), n);
    bool ok = true;
    for (size_t i = 0; i < n; ++i) ok = ok && out[i] == unit_of<T>(words, i);
    check(ok, std::string(table.isa) + ": numbers in [0, 1)");
    // so narrow that most of them would round to the upper bound
    const T low = 1, high = nextafter(T(1), T(2));
    random_uniform(out.data(), draw, low, high, n);
    ok = std::all_of(out.begin(), out.end(), [](T x) { return x == 1; });
    for (const T bound : {T(0), T(-1), T(1), T(-8), T(0.1)}) {
      const T before = nextafter(bound, T(-100));
      random_uniform(out.data(), draw, before, bound, n);
      ok = ok && std::all_of(out.begin(), out.end(), [=](T x) { return x == before; });
    }
    check(ok, std::string(table.isa) + ": numbers stay below the bound");
  }
}

struct Position { long double centre, tail; };

// Where the words say that a number lies, between 0 (centre = 0) and the bound.
template <class T> Position position_of(const std::vector<uint32_t>& words, size_t i, long double half) {
  const bool is_float = sizeof(T) == 4;
  const uint64_t bits = is_float ? words[i] : words[2 * i] | uint64_t(words[2 * i + 1]) << 32;
  const uint64_t end = uint64_t(1) << (is_float ? 31 : 63), m = (bits & (end - 1)) | 1;
  return {half * (long double)(end - m) / end, (0.5L - half) + half * (long double)m / end};
}

template <class T> bool is_negative(const std::vector<uint32_t>& words, size_t i) {
  return words[sizeof(T) == 4 ? i : 2 * i + 1] >> 31;
}

// The relative error of z, from what the C library says of the probability beyond it.
double error_of(long double z, Position at) {
  const long double density = expl(-z * z / 2) / sqrtl(2 * acosl(-1.0L));
  const long double off = z < 0.5L ? erfl(z / sqrtl(2)) / 2 - at.centre : at.tail - erfcl(z / sqrtl(2)) / 2;
  return double(fabsl(off) / (density * z));
}

template <class T> void check_normal(const KernelTable& table, bool truncated) {
  const size_t n = 200000;
  const Draw draw = {99, 0, 0};
  const std::vector<uint32_t> words = words_of(draw, n * sizeof(T) / 4);
  std::vector<T> out(n);
  of<T>(table).random_normal(out.data(), draw, 0, 1, truncated, n);
  const long double half = truncated ? 0.47724986805182079279971736283346L : 0.5L;
  double worst = 0, most = 0;
  bool signs = true;
  for (size_t i = 0; i < n; ++i) {
    worst = std::max(worst, error_of(fabsl(out[i]), position_of<T>(words, i, half)));
    most = std::max(most, fabs(double(out[i])));
    signs = signs && (out[i] < 0) == is_negative<T>(words, i);
  }
  const bool exact_reference = sizeof(long double) > sizeof(T);
  const double allowed = sizeof(T) == 4 ? 4e-7 : exact_reference ? 1e-15 : 4e-15;
  char what[200];
  snprintf(what, sizeof what, "%s: a relative error of %g in %snormal numbers", table.isa, worst,
           truncated ? "truncated " : "");
  check(worst <= allowed, what);
  check(signs, std::string(table.isa) + ": signs of normal numbers");
  check(truncated ? most < 2 && most > 1.99 : most > 4, std::string(table.isa) + ": how far normal numbers go");
}

// ---- dropout ----

template <class T> void check_dropout(const KernelTable& table) {
  const size_t n = 1001;
  const Draw draw = {5, 6, 7};
  std::vector<T> x(n), y(n), dropped(n);
  for (size_t i = 0; i < n; ++i) x[i] = i % 7 == 0 ? T(NAN) : T(i) + 1;
  of<T>(table).random_bernoulli(dropped.data(), draw, 0x60000000, n);
  of<T>(table).dropout(y.data(), x.data(), draw, 0x60000000, 1.6, n);
  bool ok = true;
  for (size_t i = 0; i < n; ++i) {
    const T kept = x[i] * T(1.6);
    ok = ok && (dropped[i] == 1 ? y[i] == 0 && !signbit(y[i]) : y[i] == kept || (isnan(y[i]) && isnan(kept)));
  }
  check(ok, std::string(table.isa) + ": dropout drops what bernoulli says");
}

// ---- drivers: any number of threads, any part ----

template <class T> std::vector<T> drawn(size_t kind, const Draw& draw, size_t n) {
  std::vector<T> out(n, T(3));
  switch (kind) {
    case 0: random_uniform(out.data(), draw, T(-2), T(5), n); break;
    case 1: random_normal(out.data(), draw, 1, 2, false, n); break;
    case 2: random_normal(out.data(), draw, 1, 2, true, n); break;
    case 3: random_bernoulli(out.data(), draw, 0.3, n); break;
    default: dropout(out.data(), out.data(), draw, 0.3, n);
  }
  return out;
}

template <class T> void check_parts() {
  const size_t n = 100001;
  const Draw draw = {8, 9, 0xffffff00};
  for (size_t kind = 0; kind < 5; ++kind) {
    set_threads(1);
    const std::vector<T> whole = drawn<T>(kind, draw, n);
    for (const size_t threads : {2, 3}) {
      set_threads(threads);
      check(drawn<T>(kind, draw, n) == whole, "a draw by several threads");
    }
    const size_t per_block = kind < 3 ? 4 / kWordsPerNumber<T> : 4;
    for (const size_t blocks : {1, 2, 7, 9, 4096, 5000}) {
      const std::vector<T> part =
          drawn<T>(kind, {draw.key, draw.stream, draw.counter + blocks}, n - blocks * per_block);
      check(std::equal(part.begin(), part.end(), whole.begin() + ptrdiff_t(blocks * per_block)), "a part of a draw");
    }
  }
  std::vector<T> out = {7, 7, 7};
  random_bernoulli(out.data(), draw, 1, 3);
  check(out == std::vector<T>{1, 1, 1}, "what is certain");
  random_bernoulli(out.data(), draw, 0, 3);
  check(out == std::vector<T>{0, 0, 0}, "what never comes");
}

template <class T> void check_all(const KernelTable& table) {
  check_known<T>(table);
  check_uniform<T>(table);
  check_normal<T>(table, false);
  check_normal<T>(table, true);
  check_dropout<T>(table);
}

}  // namespace

int main() {
  for (const KernelTable* table : available_isas()) {
    use_isa(table->isa);
    check_all<float>(*table);
    check_all<double>(*table);
  }
  check_parts<float>();
  check_parts<double>();
  return report();
}
