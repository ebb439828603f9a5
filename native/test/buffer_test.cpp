// The array that says when there is no memory, and every driver that must then have changed nothing.
#include "../runtime/buffer.h"

#include <string>
#include <vector>

#include "../drivers/average.h"
#include "../drivers/blocks.h"
#include "../drivers/gemm.h"
#include "../drivers/norm.h"
#include "../drivers/rows.h"
#include "../runtime/pool.h"
#include "check.h"
#include "scarce_memory.h"

using namespace gradstep;

namespace {

void holds_what_was_added() {
  Buffer<int> buffer;
  check(buffer.empty() && buffer.size() == 0 && buffer.begin() == buffer.end(), "begins empty");
  bool ok = true;
  const size_t before = scarce_memory::allocations;
  for (int i = 0; i < 100000; ++i) ok = ok && buffer.add(i);
  check(scarce_memory::allocations - before < 40, "grows in a few allocations");
  for (int i = 0; i < 100000; ++i) ok = ok && buffer[size_t(i)] == i;
  check(ok && buffer.size() == 100000, "holds what was added");
  check(reinterpret_cast<uintptr_t>(buffer.data()) % 64 == 0, "starts on a cache line");
  const int* const place = buffer.data();
  buffer.clear();
  check(buffer.resize(50000) && buffer.data() == place, "keeps its memory");
  check(buffer.extend(3) && buffer.size() == 50003, "is extended");
  buffer.clear_keeping(100);
  check(buffer.data() == nullptr && buffer.empty(), "gives back more than it may keep");
  check(buffer.reserve(10), "starts again");
  buffer.add_reserved(7);
  *buffer.extend_reserved(1) = 8;
  check(buffer.size() == 2 && buffer[0] == 7 && buffer[1] == 8, "takes what was reserved");
  buffer.clear_keeping(100);
  check(buffer.data() != nullptr, "keeps what it may keep");
}

void says_when_there_is_no_memory() {
  Buffer<double> buffer;
  check(buffer.add(1) && buffer.add(2), "two numbers");
  const double* const place = buffer.data();
  for (const size_t impossible :
       {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 8, SIZE_MAX / 8 + 1, SIZE_MAX / 16, SIZE_MAX / 17}) {
    check(!buffer.reserve(impossible), "no memory of that size");
    check(!buffer.resize(impossible), "no array of that size");
    check(!buffer.extend(impossible), "no extension of that size");
  }
  scarce_memory::allow(0);
  check(!buffer.reserve(1000) && !buffer.extend(1000), "no memory at all");
  scarce_memory::allow_all();
  check(buffer.size() == 2 && buffer.data() == place && buffer[0] == 1 && buffer[1] == 2, "is as it was");
  check(buffer.extend(1000) && buffer[1] == 2, "goes on when there is memory again");
}

// `call` with no memory returns false; with memory it returns true. Scratch that a thread keeps would hide the first,
// so every call is the first of its kind or larger than those before.
template <class Call> void needs_memory(const char* what, const std::vector<float>& written, Call call) {
  const std::vector<float> before = written;
  scarce_memory::allow(0);
  check(!call(), std::string(what) + " says that there is no memory");
  scarce_memory::allow_all();
  check(written == before, std::string(what) + " has then changed nothing");
  check(call() && written != before, std::string(what) + " works when there is memory");
}

void drivers_change_nothing_without_memory() {
  const size_t n = 200000;
  std::vector<float> x(n, 2), out(n, 0), result(1, -1);
  const Values<float> values = {x.data(), n, 1};
  const Average<float> average = {out.data(), x.data(), n};
  needs_memory("a norm", result, [&] {
    double sum = -1;
    const bool ok = sum_of_squares(&values, 1, sum);
    result[0] = float(sum);
    return ok;
  });
  std::vector<double> sums(n / kBlockElements + 1, -1);
  result[0] = -1;
  needs_memory("norms of blocks", result, [&] {
    const bool ok = sums_of_squares(&values, 1, sums.data());
    result[0] = float(sums[0]);
    return ok;
  });
  result[0] = -1;
  needs_memory("all_finite", result, [&] {
    bool finite = false;
    if (!all_finite(&values, 1, finite)) return false;
    result[0] = finite;
    return true;
  });
  needs_memory("an average", out, [&] { return move_toward(&average, 1, 0.5); });
  result[0] = -1;
  needs_memory("a sum", result, [&] { return sum(result.data(), x.data(), 1, n, 1, 1.0); });
  std::vector<float> c(64 * 64, 0);
  Gemm<float> g = {};
  g.m = g.n = g.k = 64;
  g.a = g.b = x.data();
  g.lda = g.ldb = g.ldc = 64;
  g.c = c.data();
  needs_memory("a product", c, [&] { return gemm(g); });
}

// The caller has scratch memory already, no other thread finds any.
void a_product_is_whole_when_only_the_caller_finds_memory() {
  const size_t n = 192;
  std::vector<float> a(n * n), c(n * n), expected(n * n);
  for (size_t i = 0; i < a.size(); ++i) a[i] = float(i % 17) - 8;
  Gemm<float> g = {};
  g.m = g.n = g.k = g.lda = g.ldb = g.ldc = n;
  g.a = g.b = a.data();
  g.c = expected.data();
  set_threads(1);
  check(gemm(g), "a product on one thread");
  set_threads(4);
  g.c = c.data();
  scarce_memory::allow(0);
  bool ok = true;
  for (int i = 0; i < 20; ++i) {
    c.assign(c.size(), -1);
    ok = ok && gemm(g) && c == expected;
  }
  scarce_memory::allow_all();
  check(ok, "a product is whole when only the caller finds memory");
}

}  // namespace

int main() {
  holds_what_was_added();
  says_when_there_is_no_memory();
  drivers_change_nothing_without_memory();
  set_threads(2);
  a_product_is_whole_when_only_the_caller_finds_memory();
  return report();
}
