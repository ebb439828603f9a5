// How work is cut. Blocks have fixed sizes, whatever the number of threads, so that sums come out the same.
#pragma once
#include <stddef.h>

namespace gradstep {

// 16 Ki elements: Adam's four float32 arrays of it are 256 KiB, which stays inside a 512 KiB L2
constexpr size_t kBlockElements = 16 * 1024;

inline size_t blocks_of(size_t elements, size_t block = kBlockElements) { return (elements + block - 1) / block; }

}  // namespace gradstep
