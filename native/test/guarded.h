// What the tests of kernels share: memory that ends where its page ends, values that go wrong, and comparing bytes.
#pragma once
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <limits>
#include <random>

// Memory whose last byte is the last of its page, with an unmapped page behind it: reading or writing past it crashes.
template <class T> class Guarded {
 public:
  explicit Guarded(size_t count) {
    const size_t page = size_t(sysconf(_SC_PAGESIZE)), bytes = count * sizeof(T);
    mapped_ = (bytes + page - 1) / page * page + page;
    base_ = static_cast<char*>(mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED || mprotect(base_ + mapped_ - page, page, PROT_NONE) != 0) abort();
    data_ = reinterpret_cast<T*>(base_ + mapped_ - page - bytes);
  }
  Guarded(const Guarded&) = delete;
  ~Guarded() { munmap(base_, mapped_); }
  T* data() { return data_; }

 private:
  char* base_;
  size_t mapped_;
  T* data_;
};

// special: NaN, infinities, zeros of both signs, denormals and huge numbers among them
enum class Values { ordinary, special };

template <class T> static void fill(T* to, size_t count, Values values, std::mt19937& random) {
  using Limits = std::numeric_limits<T>;
  const T specials[] = {Limits::quiet_NaN(),  Limits::infinity(), -Limits::infinity(), T(0), T(-0.0),
                        Limits::denorm_min(), -Limits::min() / 2, Limits::max()};
  for (size_t i = 0; i < count; ++i) {
    to[i] = std::normal_distribution<T>()(random);
    if (values == Values::special && random() % 64 == 0) to[i] = specials[random() % 8];
  }
}

// The same bytes, but for NaNs: which NaN comes out is the processor's choice.
template <class T> static bool same(const T* x, const T* y, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (memcmp(x + i, y + i, sizeof(T)) != 0 && !(x[i] != x[i] && y[i] != y[i])) return false;
  return true;
}
