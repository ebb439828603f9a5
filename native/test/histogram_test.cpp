// Histograms: TensorFlow's search for each value, the same on every instruction set and for every number of threads,
// and memory that runs out.
#include "../drivers/histogram.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "check.h"
#include "scarce_memory.h"

using namespace gradstep;

namespace {

std::vector<double> limits() {
  std::vector<double> result(kHistogramLimits);
  histogram_limits(result.data());
  return result;
}

template <class T> std::vector<T> values_of(size_t count, bool with_specials) {
  const T specials[] = {0,
                        T(-0.0),
                        NAN,
                        INFINITY,
                        -INFINITY,
                        std::numeric_limits<T>::denorm_min(),
                        std::numeric_limits<T>::max(),
                        -std::numeric_limits<T>::max()};
  std::mt19937 random(static_cast<unsigned>(count));
  std::uniform_real_distribution<double> power(-30, 30), chance(0, 1);
  std::vector<T> result(count);
  for (T& x : result) {
    x = static_cast<T>(pow(10, power(random)) * (chance(random) < 0.5 ? -1 : 1));
    if (with_specials && chance(random) < 0.2) x = specials[random() % 8];
  }
  return result;
}

template <class T> void expect_counts(const std::vector<T>& values, const Histogram& found, const std::string& what) {
  const std::vector<double> all = limits();
  std::vector<uint64_t> counts(kHistogramLimits);
  size_t finite = 0;
  for (const double value : values) {
    if (!isfinite(value)) continue;
    ++finite;
    const size_t bucket = static_cast<size_t>(std::upper_bound(all.begin(), all.end(), value) - all.begin());
    ++counts[std::min(bucket, kHistogramLimits - 1)];
  }
  check(memcmp(counts.data(), found.counts, sizeof found.counts) == 0, "counts of " + what);
  check(found.sums.count == finite && found.non_finite == values.size() - finite, "numbers of " + what);
}

template <class T> void test(const char* type) {
  for (const size_t count : {0, 1, 15, 16, 17, 1023, 1025, 16385, 100003}) {
    for (const bool with_specials : {false, true}) {
      const std::vector<T> values = values_of<T>(count, with_specials);
      const std::string what = std::to_string(count) + " values of " + type;
      Histogram first = {};
      bool is_first = true;
      for (const KernelTable* table : available_isas()) {
        use_isa(table->isa);
        for (const size_t n : {1, 3}) {
          set_threads(n);
          Histogram result = {};
          check(histogram(Values<T>{values.data(), count, 1}, result), "memory for " + what);
          expect_counts(values, result, what);
          // A sum that overflows both ways is NaN, whose sign and payload are the processor's.
          if (isnan(result.sums.sum)) result.sums.sum = 0;
          if (is_first) first = result;
          is_first = false;
          check(memcmp(&first, &result, sizeof first) == 0, what + " are the same everywhere");
        }
      }
    }
  }
}

void test_memory() {
  Histogram result;
  result.sums.count = 7;
  scarce_memory::allow(0);
  const std::vector<float> more(1 << 24);  // more blocks than there was memory for before
  check(!histogram(Values<float>{more.data(), more.size(), 1}, result), "it says so when there is no memory");
  check(result.sums.count == 7, "and has written nothing");
  scarce_memory::allow_all();
  check(histogram(Values<float>{more.data(), more.size(), 1}, result), "and goes on when there is");
  check(result.counts[kPositiveLimits + 2] == more.size(), "all zeros are in one bucket");
}

}  // namespace

int main() {
  test<float>("float");
  test<double>("double");
  test_memory();
  return report();
}
