#pragma once
#include "../kernels/gemm_args.h"

namespace gradstep {

/** What gemm_args.h says, on the threads of the pool; `g.scratch` is ignored. False, c half done: memory is out. */
bool gemm(const Gemm<float>& g);
bool gemm(const Gemm<double>& g);

}  // namespace gradstep
