// The vector vocabulary a file is compiled for. An isa/<isa>.cpp names it and includes it first; a kernel's header that
// stands alone, as in an editor, is read over the scalar one.
#pragma once
#ifndef SIMD_ISA
#include "scalar.h"
#endif
