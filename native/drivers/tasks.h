// What a program is made of: one call of a driver each, over arrays that lie in the program's places.
#pragma once
#include "../kernels/gemm_args.h"
#include "../kernels/table.h"
#include "../runtime/buffer.h"
#include "elementwise.h"
#include "product.h"
#include "tasks/copies.h"
#include "tasks/lines.h"
#include "tasks/picks.h"
#include "tasks/products.h"
#include "tasks/sequences.h"

namespace gradstep {

// Where an array lies: so many bytes behind the start of one of the program's places.
struct Operand { size_t place, offset; };

// Families of tasks, each with a list of kinds and functions of its own: see tasks/family.h. X(list, family)
#define GRADSTEP_FAMILIES(X)           \
  X(GRADSTEP_PRODUCT_TASKS, product)   \
  X(GRADSTEP_SEQUENCE_TASKS, sequence) \
  X(GRADSTEP_COPY_TASKS, copy)         \
  X(GRADSTEP_LINE_TASKS, line)         \
  X(GRADSTEP_PICK_TASKS, pick)

// X(name, arrays, sizes, numbers): every kind of task, by the name that JavaScript calls it. Of the arrays those that
// are written come first. Sizes and numbers come in the order of the driver's arguments.
#define GRADSTEP_TASKS(X)    \
  GRADSTEP_PRODUCT_TASKS(X)  \
  GRADSTEP_SEQUENCE_TASKS(X) \
  GRADSTEP_COPY_TASKS(X)     \
  GRADSTEP_LINE_TASKS(X)     \
  GRADSTEP_PICK_TASKS(X)     \
  GRADSTEP_SINGLE_TASKS(X)

// Those that each have an entry of their own in the binding too.
#define GRADSTEP_SINGLE_TASKS(X)                                                      \
  X(fill, 1, 1, 1)            /* [n]; the value */                                    \
  X(repeat, 2, 1, 0)          /* out [n] = x [1], again and again */                  \
  X(copy, 2, 1, 0)            /* [n] */                                               \
  X(unary, 2, 1, 0)           /* [n]; option: the function */                         \
  X(binary, 3, 1, 0)          /* [n]; the function; list: operands */                 \
  X(binaryBroadcast, 3, 0, 0) /* the function; list: the layout */                    \
  X(permute, 2, 0, 0)         /* list: the layout */                                  \
  X(sum, 2, 3, 1)             /* outer, reduced, inner; scale */                      \
  X(softmax, 2, 2, 0)         /* rows, columns, as those below */                     \
  X(logSoftmax, 2, 2, 0)                                                              \
  X(softmaxGradient, 3, 2, 0)                                                         \
  X(logSoftmaxGradient, 3, 2, 0)                                                      \
  X(softmaxCrossEntropy, 4, 2, 0)                                                     \
  X(sparseSoftmaxCrossEntropy, 3, 2, 0) /* list: that of the labels */                \
  X(scaleRows, 3, 2, 0)                                                               \
  X(gather, 2, 3, 0)          /* count, rows, columns; list: that of the indices */   \
  X(scatterAdd, 2, 3, 1)      /* the same; factor */                                  \
  X(gemm, 4, 3, 0)            /* m, n, k; option: GemmOption */                       \
  X(addN, 1, 1, 0)            /* [n]; list: place and offset of each term */          \
  X(addScaled, 2, 1, 1)       /* [n]; factor */                                       \
  X(scale, 2, 1, 1)           /* [n]; factor */                                       \
  X(clipByValue, 2, 1, 2)     /* [n]; low, high */                                    \
  X(randomUniform, 1, 1, 2)   /* [n]; low, high; list: the draw, as of those below */ \
  X(randomNormal, 1, 1, 2)    /* mean, stddev; option: whether truncated */           \
  X(randomBernoulli, 1, 1, 1) /* the probability */                                   \
  X(dropout, 2, 1, 1)         /* the rate */                                          \
  X(sumOfSquares, 2, 1, 1)    /* out [1], x [n]; scale */

#define GRADSTEP_ENUMERATOR(name, ...) name,
enum class TaskKind : uint8_t { GRADSTEP_TASKS(GRADSTEP_ENUMERATOR) };
#undef GRADSTEP_ENUMERATOR
#define GRADSTEP_ONE(...) +1
constexpr size_t kTaskKindCount = 0 GRADSTEP_TASKS(GRADSTEP_ONE);
#undef GRADSTEP_ONE
#define GRADSTEP_NAME(name, ...) #name,
constexpr const char* kTaskKindNames[] = {GRADSTEP_TASKS(GRADSTEP_NAME)};
#undef GRADSTEP_NAME

// How many arrays, sizes and numbers each kind has.
struct TaskForm { size_t arrays, sizes, numbers; };
#define GRADSTEP_FORM(name, arrays, sizes, numbers) {arrays, sizes, numbers},
constexpr TaskForm kTaskForms[] = {GRADSTEP_TASKS(GRADSTEP_FORM)};
#undef GRADSTEP_FORM

enum GemmOption : size_t { kTransposeA = 1, kTransposeB = 2, kWithBias = 4, kRelu = 8, kGemmOptions = 16 };

constexpr size_t kMaxTaskArrays = 12, kMaxTaskSizes = 8, kMaxTaskNumbers = 4;

struct Task {
  TaskKind kind;
  Format format;
  size_t option;
  Operand arrays[kMaxTaskArrays];
  size_t sizes[kMaxTaskSizes];
  double numbers[kMaxTaskNumbers];
  size_t list;   // the number of a list of indices, of a draw, of a Broadcast, or of the first term, size or item
  size_t count;  // how many terms, dimensions or items
};

// How many bytes there are from each array's start on, and where that is on its cache line.
struct TaskRoom {
  Format format;
  size_t bytes[kMaxTaskArrays], phase[kMaxTaskArrays];

  // Whether an array has so many elements, of the task's format or of so many bytes each.
  bool has(size_t array, const Product& count) const {
    return has(array, count, kFormatBytes[static_cast<size_t>(format)]);
  }
  bool has(size_t array, const Product& count, size_t bytes_each) const {
    return phase[array] % bytes_each == 0 && (count * bytes_each).at_most(bytes[array]);
  }
};

// What tasks refer to by numbers.
struct TaskLists {
  Buffer<Operand> terms;
  Buffer<Broadcast> broadcasts;
  Buffer<size_t> layouts;  // and the items of families
};

// Where everything is while tasks run.
struct TaskContext {
  char* const* places;
  const int32_t* const* indices;  // of each list
  const TaskLists* lists;
  const Draw* draws;

  template <class T> T* at(const Operand& operand) const {
    return reinterpret_cast<T*>(places[operand.place] + operand.offset);
  }
};

[[nodiscard]] TaskStatus run_task(const Task& task, const TaskContext& context);

bool is_of_family(TaskKind kind);

// What the family says.
bool task_fits(const Task& task, const TaskRoom& room, const size_t* items);

// The product that the first arrays and sizes of a task ask for; no array is null.
template <class T> Gemm<T> gemm_of(const Task& task, const TaskContext& context) {
  const size_t m = task.sizes[0], n = task.sizes[1], k = task.sizes[2];
  Gemm<T> g = {};
  g.m = m, g.n = n, g.k = k;
  g.transpose_a = task.option & kTransposeA, g.transpose_b = task.option & kTransposeB;
  g.c = context.at<T>(task.arrays[0]), g.ldc = n;
  g.a = context.at<const T>(task.arrays[1]), g.lda = g.transpose_a ? m : k;
  g.b = context.at<const T>(task.arrays[2]), g.ldb = g.transpose_b ? k : n;
  g.bias = task.option & kWithBias ? context.at<const T>(task.arrays[3]) : nullptr;
  g.activation = task.option & kRelu ? Activation::relu : Activation::none;
  return g;
}

// Whether each element of what the task writes depends on the same element of what it reads and on single numbers.
bool is_elementwise(const Task& task);

// Runs element-wise tasks of one format and length one after the other, a stretch of elements at a time, so that what
// one leaves the next finds in the nearest cache. The bits are those of one task after the other.
void run_chain(const Task* tasks, size_t count, const TaskContext& context);

}  // namespace gradstep
