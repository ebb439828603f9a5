#include "average.h"

#include "../runtime/dispatch.h"
#include "each_block.h"

namespace gradstep {

template <class T> bool move_toward(const Average<T>* averages, size_t count, double rate) {
  const auto kernel = of<T>(kernels()).move_toward;
  thread_local Blocks blocks;
  if (!number_blocks(averages, count, blocks)) return false;
  each_block(averages, blocks, [=](size_t i, size_t offset, size_t n, size_t) {
    kernel(averages[i].average + offset, averages[i].value + offset, rate, n);
  });
  return true;
}

template bool move_toward<float>(const Average<float>*, size_t, double);
template bool move_toward<double>(const Average<double>*, size_t, double);

}  // namespace gradstep
