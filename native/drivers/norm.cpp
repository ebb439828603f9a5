#include "norm.h"

#include <algorithm>
#include <vector>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"

namespace gradstep {

// Calls f(array, data, n, block) for every block of every array; blocks are numbered through the whole list.
template <class T, class F>
static void each_block(const Values<T>* arrays, size_t count, const std::vector<size_t>& first_block, F f) {
  constexpr size_t kBlocksPerPiece = 4;  // so that a list of many small arrays does not pay for each of them
  const size_t total = first_block[count];
  parallel_for(blocks_of(total, kBlocksPerPiece), [&](size_t piece) {
    size_t block = piece * kBlocksPerPiece;
    const size_t end = std::min(total, block + kBlocksPerPiece);
    size_t i = static_cast<size_t>(std::upper_bound(first_block.begin(), first_block.end(), block) -
                                   first_block.begin()) - 1;
    for (; block < end; ++block) {
      while (block >= first_block[i + 1]) ++i;
      const size_t offset = (block - first_block[i]) * kBlockElements;
      f(arrays[i], arrays[i].data + offset, std::min(kBlockElements, arrays[i].count - offset), block);
    }
  });
}

template <class T>
static std::vector<size_t>& number_blocks(const Values<T>* arrays, size_t count) {
  thread_local std::vector<size_t> first_block;
  first_block.resize(count + 1);
  first_block[0] = 0;
  for (size_t i = 0; i < count; ++i) first_block[i + 1] = first_block[i] + blocks_of(arrays[i].count);
  return first_block;
}

template <class T>
double sum_of_squares(const Values<T>* arrays, size_t count) {
  const auto kernel = of<T>(kernels()).sum_of_squares;
  const std::vector<size_t>& first_block = number_blocks(arrays, count);
  thread_local std::vector<double> partial;
  partial.resize(first_block[count]);
  double* const sums = partial.data();
  each_block(arrays, count, first_block, [=](const Values<T>& array, const T* data, size_t n, size_t block) {
    sums[block] = array.factor * array.factor * kernel(data, n);
  });
  double sum = 0;
  for (const double block : partial) sum += block;
  return sum;
}

template <class T>
bool all_finite(const Values<T>* arrays, size_t count) {
  const auto kernel = of<T>(kernels()).all_finite;
  const std::vector<size_t>& first_block = number_blocks(arrays, count);
  thread_local std::vector<char> partial;
  partial.resize(first_block[count]);
  char* const finite = partial.data();
  each_block(arrays, count, first_block,
             [=](const Values<T>&, const T* data, size_t n, size_t block) { finite[block] = kernel(data, n); });
  return std::all_of(partial.begin(), partial.end(), [](char ok) { return ok != 0; });
}

template double sum_of_squares<float>(const Values<float>*, size_t);
template double sum_of_squares<double>(const Values<double>*, size_t);
template bool all_finite<float>(const Values<float>*, size_t);
template bool all_finite<double>(const Values<double>*, size_t);

}  // namespace gradstep
