// Matrix multiplication against a naive chain of fused multiply-adds, byte for byte, on every instruction set this
// machine has and on one to three threads. Matrices end where their page ends: reading or writing past one is a crash.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <initializer_list>
#include <vector>

#include "../drivers/gemm.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "check.h"
#include "guarded.h"

using namespace gradstep;

namespace {

template <class T> void naive(const Gemm<T>& g) {
  for (size_t i = 0; i < g.m; ++i)
    for (size_t j = 0; j < g.n; ++j) {
      T& c = g.c[i * g.ldc + j];
      T sum = g.accumulate ? c : T(0);
      for (size_t p = 0; p < g.k; ++p)
        sum = fma(g.transpose_a ? g.a[p * g.lda + i] : g.a[i * g.lda + p],
                  g.transpose_b ? g.b[j * g.ldb + p] : g.b[p * g.ldb + j], sum);
      if (g.bias) sum += g.bias[j];
      c = g.activation == Activation::relu && sum <= 0 ? T(0) : sum;
    }
}

struct Shape { size_t m, n, k; };
struct Options {
  bool transpose_a, transpose_b, accumulate, bias, relu;
  size_t gap;  // elements between rows
  Values values;
};

Options options_of(unsigned bits, size_t gap, Values values) {
  return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0, gap, values};
}

size_t extent(size_t rows, size_t columns, size_t ld) { return rows && columns ? (rows - 1) * ld + columns : 0; }

template <class T, class Run>
void expect(const char* how, const Gemm<T>& g, const Options& o, const std::vector<T>& before,
            const std::vector<T>& expected, Run run) {
  if (!before.empty()) memcpy(g.c, before.data(), before.size() * sizeof(T));
  if (run(g) && same(g.c, expected.data(), expected.size())) {
    ++passed;
    return;
  }
  ++failed;
  printf("FAILED %s f%zu m=%zu n=%zu k=%zu transpose=%d%d accumulate=%d bias=%d relu=%d gap=%zu special=%d\n", how,
         8 * sizeof(T), g.m, g.n, g.k, o.transpose_a, o.transpose_b, o.accumulate, o.bias, o.relu, o.gap,
         o.values == Values::special);
}

template <class T> void check(Shape s, Options o, bool threads_too) {
  static std::mt19937 random(1);
  const size_t a_rows = o.transpose_a ? s.k : s.m, a_columns = o.transpose_a ? s.m : s.k;
  const size_t b_rows = o.transpose_b ? s.n : s.k, b_columns = o.transpose_b ? s.k : s.n;
  const size_t lda = a_columns + o.gap, ldb = b_columns + 2 * o.gap, ldc = s.n + 3 * o.gap;
  const size_t a_count = extent(a_rows, a_columns, lda), b_count = extent(b_rows, b_columns, ldb),
               c_count = extent(s.m, s.n, ldc);
  Guarded<T> a(a_count), b(b_count), c(c_count), bias(s.n);
  fill(a.data(), a_count, o.values, random);
  fill(b.data(), b_count, o.values, random);
  fill(c.data(), c_count, o.values, random);
  fill(bias.data(), s.n, o.values, random);
  const std::vector<T> before(c.data(), c.data() + c_count);

  static void* const scratch = aligned_alloc(64, kGemmScratchBytes);
  const Gemm<T> g = {s.m,
                     s.n,
                     s.k,
                     a.data(),
                     lda,
                     o.transpose_a,
                     b.data(),
                     ldb,
                     o.transpose_b,
                     c.data(),
                     ldc,
                     o.accumulate,
                     o.bias ? bias.data() : nullptr,
                     o.relu ? Activation::relu : Activation::none,
                     scratch};
  naive(g);
  const std::vector<T> expected(c.data(), c.data() + c_count);

  for (const KernelTable* table : available_isas()) {
    memset(scratch, 0xff, kGemmScratchBytes / 64);  // NaNs: what a kernel did not pack it must not use
    expect(table->isa, g, o, before, expected, [table](const Gemm<T>& x) {
      of<T>(*table).gemm(x);
      return true;
    });
  }
  if (!threads_too) return;
  for (size_t count = 1; count <= 3; ++count) {
    set_threads(count);
    const char* const names[] = {"1 thread", "2 threads", "3 threads"};
    expect(names[count - 1], g, o, before, expected, [](const Gemm<T>& x) { return gemm(x); });
  }
}

template <class T> void check_all() {
  const size_t around_tiles[] = {0, 1, 2, 3, 5, 6, 7, 8, 11, 12, 13, 15, 16, 17, 24, 31, 32, 33, 47, 65};
  const size_t depths[] = {0, 1, 2, 3, 4, 5, 7, 8, 10, 17, 31};
  unsigned turn = 0;
  for (size_t m : around_tiles)
    for (size_t n : around_tiles) {
      ++turn;  // 32 and 11 have no common factor: options meet depths in every combination
      const Values values = turn % 3 == 0 ? Values::special : Values::ordinary;
      for (unsigned transposes = 0; transposes < 4; ++transposes)
        check<T>({m, n, depths[turn % 11]}, options_of(transposes | (turn % 8) << 2, turn % 4, values), turn % 16 == 0);
    }
  for (size_t k : {255u, 256u, 257u, 319u, 321u, 512u, 513u, 1023u, 1024u, 1025u, 2050u})  // where k is split
    for (unsigned bits = 0; bits < 32; ++bits)
      check<T>({13, 33, k}, options_of(bits, bits % 3, Values::ordinary), false);
  for (Shape s : {Shape{11, 67, 96}, Shape{22, 131, 64}, Shape{15, 64, 97}, Shape{12, 197, 33}})  // wide tiles, and not
    for (unsigned bits = 0; bits < 32; ++bits)
      check<T>(s, options_of(bits, bits % 3, bits % 5 == 0 ? Values::special : Values::ordinary), false);
  for (unsigned bits = 0; bits < 32; ++bits)  // big enough for the pool, and for packing a
    check<T>({97, 173, 131}, options_of(bits, bits % 2, bits % 5 == 0 ? Values::special : Values::ordinary), true);
  for (unsigned transposes = 0; transposes < 4; ++transposes) {
    // several blocks of rows, of columns, of k, in pairs; sizes above the blocks of every instruction set
    for (Shape s : {Shape{265, 2085, 3}, Shape{13, 2085, 400}, Shape{265, 40, 400}})
      check<T>(s, options_of(transposes | 8 | 16, 1, Values::ordinary), true);
    for (size_t n : {1u, 10u, 20u}) check<T>({345, n, 200}, options_of(transposes | 4 | 8, 0, Values::ordinary), true);
  }
}

}  // namespace

int main() {
  check_all<float>();
  check_all<double>();
  return report();
}
