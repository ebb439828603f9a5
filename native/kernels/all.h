// Included once by every isa/<isa>.cpp, after its vector vocabulary: every kernel, and the table that names them.
#pragma once
#include "../simd/simd.h"
#include "table.h"

#include "elementwise/binary.h"
#include "elementwise/unary.h"
#include "ctc.h"
#include "gemm.h"
#include "norm.h"
#include "apply.h"
#include "optimizers/names.h"
#include "optimizers/shrink.h"
#include "optimizers/adadelta.h"
#include "optimizers/adagrad.h"
#include "optimizers/adagrad_da.h"
#include "optimizers/adam.h"
#include "optimizers/adamax.h"
#include "optimizers/adamw.h"
#include "optimizers/amsgrad.h"
#include "optimizers/ftrl.h"
#include "optimizers/gradient_descent.h"
#include "optimizers/lamb.h"
#include "optimizers/lars.h"
#include "optimizers/lion.h"
#include "optimizers/momentum.h"
#include "optimizers/nadam.h"
#include "optimizers/proximal.h"
#include "optimizers/rmsprop.h"
#include "optimizers/tfjs.h"
#include "random/dropout.h"
#include "random/numbers.h"
#include "scale.h"
#include "extremes.h"
#include "reduce.h"
#include "histogram.h"
#include "softmax.h"

namespace gradstep {
namespace SIMD_ISA {

#define GRADSTEP_STRING2(x) #x
#define GRADSTEP_STRING(x) GRADSTEP_STRING2(x)

// Tables are filled member by member, by name: nothing can take another's place.

template <template <class> class R> static constexpr Rule rule_of() {
  using Any = R<F32x16>;  // what it says about itself does not depend on the vector
  Rule rule = {};
  rule.name = Any::kName;
  rule.slots = Any::kSlots.list;
  rule.slot_count = Any::kSlots.kCount;
  rule.hyper = Any::kHyper.list;
  rule.hyper_count = Any::kHyper.kCount;
  rule.measured = IsMeasured<Any>::value;
#define GRADSTEP_ARITHMETIC(name, type, usual) \
  rule.arithmetic[size_t(Format::name)] = ArithmeticNamed<typename ArithmeticOf<R, type>::Type>::value;
  GRADSTEP_FORMATS(GRADSTEP_ARITHMETIC)
#undef GRADSTEP_ARITHMETIC
  static_assert(Any::kSlots.kCount <= kMaxSlots, "a rule's slots fit a range");
  return rule;
}

#define GRADSTEP_RULE(R) rule_of<R>(),
static constexpr Rule kRules[] = {GRADSTEP_OPTIMIZERS(GRADSTEP_RULE)};
#undef GRADSTEP_RULE

#define GRADSTEP_NAME(F) F::kName,
static constexpr const char* kUnaryNames[] = {GRADSTEP_UNARY(GRADSTEP_NAME)};
static constexpr const char* kBinaryNames[] = {GRADSTEP_BINARY(GRADSTEP_NAME)};
#undef GRADSTEP_NAME

template <class V> static constexpr Kernels<typename V::Scalar> kernels_of() {
  Kernels<typename V::Scalar> table = {};
  size_t rule = 0, function = 0;
#define GRADSTEP_RULE(R) table.rules[rule++] = rule_kernels_of<R, V>();
  GRADSTEP_OPTIMIZERS(GRADSTEP_RULE)
#undef GRADSTEP_RULE

#define GRADSTEP_FUNCTION(F) table.unary[function++] = unary<V, F>;
  GRADSTEP_UNARY(GRADSTEP_FUNCTION)
#undef GRADSTEP_FUNCTION
  function = 0;
#define GRADSTEP_FUNCTION(F) table.binary[function++] = binary<V, F>;
  GRADSTEP_BINARY(GRADSTEP_FUNCTION)
#undef GRADSTEP_FUNCTION

#define GRADSTEP_KERNEL(result, name, ...) table.name = name<V>;
#define GRADSTEP_ROW_KERNEL(name, js_name) table.name = name<V>;
  GRADSTEP_REDUCTIONS(GRADSTEP_KERNEL, T)
  GRADSTEP_UPDATES(GRADSTEP_KERNEL, T)
  GRADSTEP_ROW(GRADSTEP_ROW_KERNEL)
  GRADSTEP_ROW_GRADIENT(GRADSTEP_ROW_KERNEL)
  GRADSTEP_RANDOM(GRADSTEP_KERNEL, T)
  GRADSTEP_MATRIX(GRADSTEP_KERNEL, T)
#undef GRADSTEP_KERNEL
#undef GRADSTEP_ROW_KERNEL
  return table;
}

template <class T> struct VectorNamed;
template <> struct VectorNamed<float> { using Type = F32x16; };
template <> struct VectorNamed<double> { using Type = F64x8; };
template <class T> using VectorOf = typename VectorNamed<T>::Type;

static void prefer_hardware_roots(bool prefer) { hardware_roots = prefer; }

static constexpr KernelTable table_of_all() {
  KernelTable table = {};
  table.isa = GRADSTEP_STRING(SIMD_ISA);
  table.prefer_hardware_roots = prefer_hardware_roots;
  table.rules = kRules;
  table.unary = kUnaryNames;
  table.binary = kBinaryNames;
#define GRADSTEP_KERNELS(name, type) table.name = kernels_of<VectorOf<type>>();
  GRADSTEP_ARITHMETICS(GRADSTEP_KERNELS)
#undef GRADSTEP_KERNELS
  return table;
}

constexpr KernelTable kTable = table_of_all();

}  // namespace SIMD_ISA
}  // namespace gradstep
