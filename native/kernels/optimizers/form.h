// A rule with a member `special` has a shorter form for some hyperparameters. It is called with Form<special>.
#pragma once
#include "../../simd/simd.h"

namespace gradstep::SIMD_ISA {

template <bool kSpecial> struct Form { static constexpr bool special = kSpecial; };

}  // namespace gradstep::SIMD_ISA
