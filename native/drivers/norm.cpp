#include "norm.h"

#include <atomic>

#include "../runtime/dispatch.h"
#include "each_block.h"

namespace gradstep {

namespace {

template <class T> void square_blocks(const Values<T>* arrays, const Blocks& blocks, double* sums) {
  const auto kernel = of<T>(kernels()).sum_of_squares;
  each_block(arrays, blocks, [=](size_t i, size_t offset, size_t n, size_t block) {
    const double factor = arrays[i].factor;
    sums[block] = factor * factor * kernel(arrays[i].data + offset, n);
  });
}

}  // namespace

template <class T> bool sums_of_squares(const Values<T>* arrays, size_t count, double* sums) {
  thread_local Blocks blocks;
  if (!number_blocks(arrays, count, blocks)) return false;
  square_blocks(arrays, blocks, sums);
  return true;
}

template <class T> bool sum_of_squares(const Values<T>* arrays, size_t count, double& sum) {
  thread_local Blocks blocks;
  thread_local Buffer<double> partial;
  if (!number_blocks(arrays, count, blocks) || !partial.resize(blocks.total)) return false;
  square_blocks(arrays, blocks, partial.data());
  sum = 0;
  for (const double block : partial) sum += block;
  return true;
}

template <class T> bool all_finite(const Values<T>* arrays, size_t count, bool& finite) {
  const auto kernel = of<T>(kernels()).all_finite;
  thread_local Blocks blocks;
  if (!number_blocks(arrays, count, blocks)) return false;
  std::atomic<bool> all{true};
  each_block(arrays, blocks, [&](size_t i, size_t offset, size_t n, size_t) {
    if (!kernel(arrays[i].data + offset, n)) all.store(false, std::memory_order_relaxed);
  });
  finite = all;
  return true;
}

template bool sum_of_squares<float>(const Values<float>*, size_t, double&);
template bool sum_of_squares<double>(const Values<double>*, size_t, double&);
template bool sums_of_squares<float>(const Values<float>*, size_t, double*);
template bool sums_of_squares<double>(const Values<double>*, size_t, double*);
template bool all_finite<float>(const Values<float>*, size_t, bool&);
template bool all_finite<double>(const Values<double>*, size_t, bool&);

}  // namespace gradstep
