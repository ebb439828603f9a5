// The border between code compiled per instruction set and everything else: plain data and function pointers.
// A kernel is single-threaded, allocates nothing and trusts its arguments; drivers/ split the work, binding/ checks it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "elementwise/list.h"
#include "gemm_args.h"
#include "optimizers/list.h"

namespace gradstep {

constexpr size_t kMaxSlots = 4;
constexpr size_t kMaxHyper = 16;

// Of a whole variable, and of what a measured rule wants the norm of (apply.h).
struct SumsOfSquares { double param, measured; };

// A contiguous stretch of one variable, with its gradient and slots: what an update rule walks over.
template <class T> struct Range {
  T* param;
  const T* gradient;  // null means zeros: a rule that decays its slots still has work to do
  T* slots[kMaxSlots];
  double factor;  // the gradient is `gradient * factor`
  size_t count;
  SumsOfSquares sums;  // read by measured rules only
};

// What an update rule says about itself; the same in every table.
struct Rule {
  const char* name;
  const char* const* slots;
  size_t slot_count;
  const char* const* hyper;
  size_t hyper_count;
  bool measured;  // takes two passes over a variable, and all of its elements
};

enum class Operands { vectors, scalar_a, scalar_b };

#define GRADSTEP_ONE(name) +1
constexpr size_t kRuleCount = 0 GRADSTEP_OPTIMIZERS(GRADSTEP_ONE);
constexpr size_t kUnaryCount = 0 GRADSTEP_UNARY(GRADSTEP_ONE);
constexpr size_t kBinaryCount = 0 GRADSTEP_BINARY(GRADSTEP_ONE);
#undef GRADSTEP_ONE

template <class T> struct Kernels {
  void (*step[kRuleCount])(const double* hyper, const Range<T>* ranges, size_t count);
  // The first pass of a measured rule, over a part of a variable; null for other rules.
  SumsOfSquares (*measure[kRuleCount])(const double* hyper, const Range<T>& range);

  double (*sum_of_squares)(const T* x, size_t n);  // accumulated in double
  bool (*all_finite)(const T* x, size_t n);
  void (*scale)(T* out, const T* x, double factor, size_t n);  // out may be x
  void (*clip_by_value)(T* out, const T* x, T low, T high, size_t n);
  void (*add_scaled)(T* out, const T* x, double factor, size_t n);  // out += x * factor
  void (*move_toward)(T* out, const T* x, double rate, size_t n);   // out -= (out - x) * rate

  void (*unary[kUnaryCount])(T* out, const T* x, size_t n);
  void (*binary[kBinaryCount])(T* out, const T* a, const T* b, Operands operands, size_t n);

  double (*sum)(const T* x, size_t n);

  // x is [rows, columns]; sums accumulate in double, are multiplied by `scale` and rounded once
  void (*sum_rows)(T* out, const T* x, size_t rows, size_t columns, double scale);     // out is [rows]
  void (*sum_columns)(T* out, const T* x, size_t rows, size_t columns, double scale);  // out is [columns]

  // all are [rows, columns] unless said otherwise
  void (*softmax)(T* out, const T* x, size_t rows, size_t columns);
  void (*log_softmax)(T* out, const T* x, size_t rows, size_t columns);
  void (*softmax_gradient)(T* dx, const T* dy, const T* y, size_t rows, size_t columns);
  void (*log_softmax_gradient)(T* dx, const T* dy, const T* y, size_t rows, size_t columns);
  // loss is [rows]; backprop is d loss / d logits
  void (*softmax_cross_entropy)(T* loss, T* backprop, const T* labels, const T* logits, size_t rows, size_t columns);
  void (*sparse_softmax_cross_entropy)(T* loss, T* backprop, const int32_t* labels, const T* logits, size_t rows,
                                       size_t columns);
  void (*scale_rows)(T* out, const T* x, const T* factors, size_t rows, size_t columns);  // factors is [rows]

  void (*gemm)(const Gemm<T>&);
};

struct KernelTable {
  const char* isa;
  void (*prefer_hardware_roots)(bool);  // simd/common.h; called before any kernel runs
  const Rule* rules;                    // [kRuleCount]
  const char* const* unary;             // [kUnaryCount], names
  const char* const* binary;            // [kBinaryCount], names
  Kernels<float> f32;
  Kernels<double> f64;
};

template <class T> const Kernels<T>& of(const KernelTable& table);
template <> inline const Kernels<float>& of<float>(const KernelTable& table) { return table.f32; }
template <> inline const Kernels<double>& of<double>(const KernelTable& table) { return table.f64; }

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
