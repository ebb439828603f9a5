#pragma once
#include "../kernels/gemm_args.h"

namespace gradstep {

// What gemm_args.h says, on the threads of the pool; `g.scratch` is ignored. False, with nothing changed, when there is
// no memory.
[[nodiscard]] bool gemm(const Gemm<float>& g);
[[nodiscard]] bool gemm(const Gemm<double>& g);

}  // namespace gradstep
