#include "average.h"

#include "../runtime/dispatch.h"
#include "each_block.h"

namespace gradstep {

template <class T> void move_toward(const Average<T>* averages, size_t count, double rate) {
  const auto kernel = of<T>(kernels()).move_toward;
  const Blocks& blocks = number_blocks(averages, count);
  each_block(averages, count, blocks, [=](const Average<T>& array, size_t offset, size_t n, size_t) {
    kernel(array.average + offset, array.value + offset, rate, n);
  });
}

template void move_toward<float>(const Average<float>*, size_t, double);
template void move_toward<double>(const Average<double>*, size_t, double);

}  // namespace gradstep
