#include "gemm.h"

#include <algorithm>

#include "../runtime/buffer.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"

namespace gradstep {
namespace {

// Multiply-adds that are worth another thread: 10 microseconds at 8 a cycle, 2 to 3 at 32. Handing work to a thread
// that still spins after the previous product takes one microsecond or a half, as it packs for itself; waking one takes
// 5, once. (64^3 takes AVX-512 on Sapphire Rapids 1.1 times as long with two threads as with one, 96^3 0.65 of the
// time.)
constexpr size_t kWorthAnotherThread = size_t(3) << 16;

// Each block packs its own rows of a and columns of b. That is as much work as computing this many more rows and
// columns of c.
constexpr size_t kPackingCost = 8;

struct Grid {
  size_t block_rows, block_columns;  // elements of c
};

size_t part(size_t total, size_t parts, size_t step) { return ((total + parts - 1) / parts + step - 1) / step * step; }

// The grid of at most `threads` blocks whose largest block is the least work.
Grid split(size_t m, size_t n, size_t threads) {
  Grid best = {m, n};
  size_t least = SIZE_MAX;
  for (size_t down = 1; down <= threads; ++down) {
    const Grid grid = {part(m, down, kGemmRowStep), part(n, threads / down, kGemmColumnStep)};
    const size_t work =
        (std::min(grid.block_rows, m) + kPackingCost) * (std::min(grid.block_columns, n) + kPackingCost);
    if (work < least) best = grid, least = work;
  }
  return best;
}

// The part of g that computes the block of c whose first element is (row, column).
template <class T> Gemm<T> block_of(const Gemm<T>& g, const Grid& grid, size_t row, size_t column) {
  Gemm<T> block = g;
  block.m = std::min(grid.block_rows, g.m - row);
  block.n = std::min(grid.block_columns, g.n - column);
  if (g.a_patches.images) (g.transpose_a ? block.a_patches.column : block.a_patches.row) += row;
  else block.a += g.transpose_a ? row : row * g.lda;
  if (g.b_patches.images) (g.transpose_b ? block.b_patches.row : block.b_patches.column) += column;
  else block.b += g.transpose_b ? column * g.ldb : column;
  if (g.placement.across) block.placement.row += row;
  block.c += g.placement.across ? column : row * g.ldc + column;
  if (g.bias) block.bias += column;
  return block;
}

// The calling thread's own scratch memory, nullptr when there is none.
void* scratch() {
  thread_local Buffer<char> memory;
  return memory.reserve(kGemmScratchBytes) ? memory.data() : nullptr;
}

template <class T> bool multiply(const Gemm<T>& g) {
  if (g.m == 0 || g.n == 0) return true;
  void* const own_scratch = scratch();
  if (own_scratch == nullptr) return false;
  const auto kernel = of<T>(kernels()).gemm;
  const auto run = [kernel](Gemm<T> block, void* memory) {
    block.scratch = memory;
    kernel(block);
  };
  const size_t useful = size_t(double(g.m) * double(g.n) * double(g.k) / double(kWorthAnotherThread));
  const size_t workers = std::min(threads(), useful);
  if (workers <= 1) return run(g, own_scratch), true;

  const Grid grid = split(g.m, g.n, workers);
  const size_t across = (g.n + grid.block_columns - 1) / grid.block_columns;
  const size_t down = (g.m + grid.block_rows - 1) / grid.block_rows;
  const auto part_of_g = [&](size_t index) {
    return block_of(g, grid, index / across * grid.block_rows, index % across * grid.block_columns);
  };
  bool left[kMaxThreads] = {};  // blocks not computed because their thread found no scratch; one block a thread at most
  parallel_for(across * down, [&](size_t index) {
    void* const memory = scratch();
    left[index] = memory == nullptr;
    if (memory != nullptr) run(part_of_g(index), memory);
  });
  for (size_t index = 0; index < across * down; ++index) {
    if (left[index]) run(part_of_g(index), own_scratch);
  }
  return true;
}

}  // namespace

bool gemm(const Gemm<float>& g) { return multiply(g); }
bool gemm(const Gemm<double>& g) { return multiply(g); }

}  // namespace gradstep
