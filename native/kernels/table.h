// The border between code compiled per instruction set and everything else: plain data and function pointers.
// A kernel is single-threaded, allocates nothing and trusts its arguments; drivers/ split the work, binding/ checks it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "attention/args.h"
#include "elementwise/list.h"
#include "formats.h"
#include "gemm_args.h"
#include "histogram_args.h"
#include "list.h"
#include "normalization/args.h"
#include "optimizers/list.h"
#include "random/draw.h"
#include "window_args.h"
#include "recurrent/args.h"

namespace gradstep {

// Sums of squares over a whole variable: of its elements, and of the vector whose norm a measured rule needs (apply.h).
struct SumsOfSquares { double param, measured; };

// A contiguous stretch of one variable, with its gradient and slots: what an update rule walks over. It is kept small:
// a step of many small variables reads as many of them.
struct Range {
  void* param;
  const void* gradient;  // null means zeros: a rule that decays its slots still has work to do
  void* slots[kMaxSlots];
  double factor;  // the gradient is `gradient * factor`
  size_t count;
  Formats formats;
  uint8_t stored;  // the number of this combination of formats in GRADSTEP_STORED
};

// What an update rule says about itself; the same in every table.
struct Rule {
  const char* name;
  const char* const* slots;
  size_t slot_count;
  const char* const* hyper;
  size_t hyper_count;
  bool measured;                        // takes two passes over a variable, and all of its elements
  Arithmetic arithmetic[kFormatCount];  // what it computes in, by the format of the parameter
};

// The loops of one rule in one arithmetic. `share` is how many elements each thread walks over in the whole step, of
// which a call may be a part: how far ahead memory is asked for depends on it, no result does.
struct RuleKernels {
  // `sums` has those of each range's variable, and only for measured rules.
  void (*step)(const double* hyper, const Range* ranges, const SumsOfSquares* sums, size_t count, size_t share);
  // The first pass of a measured rule, over a part of a variable; null for other rules.
  SumsOfSquares (*measure)(const double* hyper, const Range& range, size_t share);
};

enum class Operands { vectors, scalar_a, scalar_b };

#define GRADSTEP_ONE(name) +1
constexpr size_t kRuleCount = 0 GRADSTEP_OPTIMIZERS(GRADSTEP_ONE);
constexpr size_t kUnaryCount = 0 GRADSTEP_UNARY(GRADSTEP_ONE);
constexpr size_t kBinaryCount = 0 GRADSTEP_BINARY(GRADSTEP_ONE);
#undef GRADSTEP_ONE

template <class T> struct Kernels {
  RuleKernels rules[kRuleCount];

  void (*unary[kUnaryCount])(T* out, const T* x, size_t n);
  void (*binary[kBinaryCount])(T* out, const T* a, const T* b, Operands operands, size_t n);

#define GRADSTEP_MEMBER(result, name, ...) result (*name)(__VA_ARGS__);
#define GRADSTEP_ROW_MEMBER(name, js_name) void (*name)(T * out, const T* x, size_t rows, size_t columns);
#define GRADSTEP_ROW_GRADIENT_MEMBER(name, js_name) \
  void (*name)(T * dx, const T* dy, const T* y, size_t rows, size_t columns);
  GRADSTEP_REDUCTIONS(GRADSTEP_MEMBER, T)
  GRADSTEP_UPDATES(GRADSTEP_MEMBER, T)
  GRADSTEP_ROW(GRADSTEP_ROW_MEMBER)
  GRADSTEP_ROW_GRADIENT(GRADSTEP_ROW_GRADIENT_MEMBER)
  GRADSTEP_RANDOM(GRADSTEP_MEMBER, T)
  GRADSTEP_MATRIX(GRADSTEP_MEMBER, T)
  GRADSTEP_WINDOWS(GRADSTEP_MEMBER, T)
  GRADSTEP_NORMALIZATION(GRADSTEP_MEMBER, T)
  GRADSTEP_ATTENTION(GRADSTEP_MEMBER, T)
  GRADSTEP_RECURRENT(GRADSTEP_MEMBER, T)
#undef GRADSTEP_MEMBER
#undef GRADSTEP_ROW_MEMBER
#undef GRADSTEP_ROW_GRADIENT_MEMBER
};

struct KernelTable {
  const char* isa;
  void (*prefer_hardware_roots)(bool);  // simd/common.h; called before any kernel runs
  const Rule* rules;                    // [kRuleCount]
  const char* const* unary;             // [kUnaryCount], names
  const char* const* binary;            // [kBinaryCount], names
#define GRADSTEP_MEMBER(name, type) Kernels<type> name;
  GRADSTEP_ARITHMETICS(GRADSTEP_MEMBER)
#undef GRADSTEP_MEMBER
};

template <class T> const Kernels<T>& of(const KernelTable& table);
#define GRADSTEP_OF(name, type) \
  template <> inline const Kernels<type>& of<type>(const KernelTable& table) { return table.name; }
GRADSTEP_ARITHMETICS(GRADSTEP_OF)
#undef GRADSTEP_OF

namespace scalar {
extern const KernelTable kTable;
}
namespace avx2 {
extern const KernelTable kTable;
}
namespace avx512 {
extern const KernelTable kTable;
}
namespace neon {
extern const KernelTable kTable;
}

}  // namespace gradstep
