#include "products.h"

#include <algorithm>
#include <atomic>

#include "../../runtime/pool.h"
#include "../gemm.h"
#include "../tasks.h"

namespace gradstep {
namespace {

// The dimensions in front of the matrices.
struct Front {
  size_t rank;
  const size_t *dims, *a_strides, *b_strides;

  size_t count() const {
    size_t result = 1;
    for (size_t d = 0; d < rank; ++d) result *= dims[d];
    return result;
  }
  size_t at(size_t index, const size_t* strides) const {
    size_t result = 0;
    for (size_t d = rank; d-- > 0; index /= dims[d]) result += index % dims[d] * strides[d];
    return result;
  }
};

Front front_of(const Task& task, const size_t* items) {
  const size_t rank = task.count / 3;
  return {rank, items, items + rank, items + 2 * rank};
}

// How many matrices an operand must have; none when there are none of out.
Product reach(const Front& front, const size_t* strides) {
  Product last = 0;
  for (size_t d = 0; d < front.rank; ++d) {
    if (front.dims[d] == 0) return 0;
    last = last + Product(front.dims[d] - 1) * strides[d];
  }
  return last + 1;
}

}  // namespace

bool product_fits(const Task& task, const TaskRoom& room, const size_t* items) {
  const size_t m = task.sizes[0], n = task.sizes[1], k = task.sizes[2];
  if (task.count % 3 != 0 || task.option >= kGemmOptions) return false;
  const Front front = front_of(task, items);
  Product count = 1;
  for (size_t d = 0; d < front.rank; ++d) count = count * front.dims[d];
  return room.has(0, count * m * n) && room.has(1, reach(front, front.a_strides) * m * k) &&
         room.has(2, reach(front, front.b_strides) * k * n) && (!(task.option & kWithBias) || room.has(3, n));
}

template <class T> TaskStatus run_product(const Task& task, const TaskContext& context, const size_t* items) {
  const Front front = front_of(task, items);
  const Gemm<T> first = gemm_of<T>(task, context);
  const size_t count = front.count(), m = first.m, n = first.n, k = first.k;
  if (count == 0 || m == 0 || n == 0) return TaskStatus::done;
  const auto matrix = [&](size_t i) {
    Gemm<T> g = first;
    g.c += i * m * n;
    g.a += front.at(i, front.a_strides) * m * k;
    g.b += front.at(i, front.b_strides) * k * n;
    return g;
  };
  // Large ones share the threads among the parts of each, small ones are given out whole.
  constexpr size_t kLarge = size_t(1) << 22, kWorthABlock = size_t(1) << 17;
  const Product work = Product(m) * n * std::max<size_t>(k, 1);
  if (!work.at_most(kLarge) || count == 1) {
    for (size_t i = 0; i < count; ++i) {
      if (!gemm(matrix(i))) return TaskStatus::no_memory;
    }
    return TaskStatus::done;
  }
  const size_t each = kWorthABlock / (m * n * std::max<size_t>(k, 1)) + 1;
  std::atomic<bool> found_memory{true};
  parallel_for((count + each - 1) / each, [&](size_t block) {
    const size_t end = std::min(count, (block + 1) * each);
    for (size_t i = block * each; i < end; ++i) {
      if (!gemm(matrix(i))) found_memory = false;
    }
  });
  return found_memory ? TaskStatus::done : TaskStatus::no_memory;
}

template TaskStatus run_product<float>(const Task&, const TaskContext&, const size_t*);
template TaskStatus run_product<double>(const Task&, const TaskContext&, const size_t*);

}  // namespace gradstep
