#include "norm.h"

#include <algorithm>
#include <vector>

#include "../runtime/dispatch.h"
#include "each_block.h"

namespace gradstep {

template <class T> double sum_of_squares(const Values<T>* arrays, size_t count) {
  const auto kernel = of<T>(kernels()).sum_of_squares;
  const Blocks& blocks = number_blocks(arrays, count);
  thread_local std::vector<double> partial;
  partial.resize(blocks.first[count]);
  double* const sums = partial.data();
  each_block(arrays, count, blocks, [=](const Values<T>& array, size_t offset, size_t n, size_t block) {
    sums[block] = array.factor * array.factor * kernel(array.data + offset, n);
  });
  double sum = 0;
  for (const double block : partial) sum += block;
  return sum;
}

template <class T> bool all_finite(const Values<T>* arrays, size_t count) {
  const auto kernel = of<T>(kernels()).all_finite;
  const Blocks& blocks = number_blocks(arrays, count);
  thread_local std::vector<char> partial;
  partial.resize(blocks.first[count]);
  char* const finite = partial.data();
  each_block(arrays, count, blocks, [=](const Values<T>& array, size_t offset, size_t n, size_t block) {
    finite[block] = kernel(array.data + offset, n);
  });
  return std::all_of(partial.begin(), partial.end(), [](char ok) { return ok != 0; });
}

template double sum_of_squares<float>(const Values<float>*, size_t);
template double sum_of_squares<double>(const Values<double>*, size_t);
template bool all_finite<float>(const Values<float>*, size_t);
template bool all_finite<double>(const Values<double>*, size_t);

}  // namespace gradstep
