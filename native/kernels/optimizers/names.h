// The names of a rule's slots or hyperparameters, in the order the rule indexes them.
#pragma once
#include <stddef.h>

#include "../../simd/simd.h"

namespace gradstep {
namespace SIMD_ISA {

template <size_t N> struct Names {
  static constexpr size_t kCount = N;
  const char* list[N > 0 ? N : 1];
};

template <class... Name> constexpr Names<sizeof...(Name)> names(Name... name) { return {{name...}}; }
template <> constexpr Names<0> names<>() { return {{nullptr}}; }

}  // namespace SIMD_ISA
}  // namespace gradstep
