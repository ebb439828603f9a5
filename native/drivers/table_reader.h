// Numbers of a table, each read once and none of them trusted.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace gradstep {

class TableReader {
 public:
  TableReader(const double* next, size_t length) : next_(next), end_(next + length) {}

  double number() {
    good = good && next_ != end_;
    return good ? *next_++ : 0;
  }
  size_t whole() {
    const double x = number();
    constexpr double kMost = 9007199254740991.0;
    const bool fits = x >= 0 && x <= kMost;
    const uint64_t n = fits ? static_cast<uint64_t>(x) : 0;
    good = good && fits && static_cast<double>(n) == x;
    return good ? static_cast<size_t>(n) : 0;
  }
  size_t below(size_t limit) {
    const size_t n = whole();
    good = good && n < limit;
    return good ? n : 0;
  }
  bool flag() { return below(2) == 1; }
  // How many things follow, each of which takes so many numbers at least.
  size_t count(size_t numbers_each) {
    const size_t n = whole();
    good = good && n <= static_cast<size_t>(end_ - next_) / numbers_each;
    return good ? n : 0;
  }
  bool is_at_end() const { return next_ == end_; }

  bool good = true;

 private:
  const double* next_;
  const double* end_;
};

}  // namespace gradstep
