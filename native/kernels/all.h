// Included once by every isa/<isa>.cpp, after its vector vocabulary: every kernel, and the table that names them.
#include "table.h"

#include "../simd/math.h"
#include "elementwise/binary.h"
#include "elementwise/unary.h"
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
#include "scale.h"
#include "reduce.h"
#include "softmax.h"

namespace gradstep {
namespace SIMD_ISA {

#define GRADSTEP_STRING2(x) #x
#define GRADSTEP_STRING(x) GRADSTEP_STRING2(x)

#define GRADSTEP_RULE(R)                                                       \
  {R<F32x16>::kName,       R<F32x16>::kSlots.list,   R<F32x16>::kSlots.kCount, \
   R<F32x16>::kHyper.list, R<F32x16>::kHyper.kCount, IsMeasured<R<F32x16>>::value},
static constexpr Rule kRules[] = {GRADSTEP_OPTIMIZERS(GRADSTEP_RULE)};
#undef GRADSTEP_RULE

#define GRADSTEP_NAME(F) F::kName,
static constexpr const char* kUnaryNames[] = {GRADSTEP_UNARY(GRADSTEP_NAME)};
static constexpr const char* kBinaryNames[] = {GRADSTEP_BINARY(GRADSTEP_NAME)};
#undef GRADSTEP_NAME

template <class V> static constexpr Kernels<typename V::Scalar> kernels_of() {
#define GRADSTEP_STEP(R) step<R<V>, V>,
#define GRADSTEP_MEASURE(R) measure_of<R<V>, V>(),
#define GRADSTEP_UNARY_OF(F) unary<V, F>,
#define GRADSTEP_BINARY_OF(F) binary<V, F>,
  return {{GRADSTEP_OPTIMIZERS(GRADSTEP_STEP)},
          {GRADSTEP_OPTIMIZERS(GRADSTEP_MEASURE)},
          sum_of_squares<V>,
          all_finite<V>,
          scale<V>,
          clip_by_value<V>,
          add_scaled<V>,
          move_toward<V>,
          {GRADSTEP_UNARY(GRADSTEP_UNARY_OF)},
          {GRADSTEP_BINARY(GRADSTEP_BINARY_OF)},
          sum<V>,
          sum_rows<V>,
          sum_columns<V>,
          softmax<V>,
          log_softmax<V>,
          softmax_gradient<V>,
          log_softmax_gradient<V>,
          softmax_cross_entropy<V>,
          sparse_softmax_cross_entropy<V>,
          scale_rows<V>,
          gemm<V>};
#undef GRADSTEP_STEP
#undef GRADSTEP_MEASURE
#undef GRADSTEP_UNARY_OF
#undef GRADSTEP_BINARY_OF
}

static void prefer_hardware_roots(bool prefer) { hardware_roots = prefer; }

const KernelTable kTable = {GRADSTEP_STRING(SIMD_ISA), prefer_hardware_roots, kRules, kUnaryNames, kBinaryNames,
                            kernels_of<F32x16>(),      kernels_of<F64x8>()};

}  // namespace SIMD_ISA
}  // namespace gradstep
