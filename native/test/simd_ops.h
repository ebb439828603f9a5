// Every operation of the vector vocabulary as a plain function over arrays, one table per ISA.
#pragma once
#include <stddef.h>

namespace gradstep {

template <class T> struct SimdOp {
  const char* name;
  void (*run)(const T* a, const T* b, const T* c, T* out, size_t n);  // n is a multiple of the lanes
};

template <class T> struct SimdOps {
  const SimdOp<T>* ops;
  size_t count, lanes;
  void (*load)(const T* p, size_t n, T* lanes);   // a partial load, all lanes of which are written out
  void (*store)(T* p, const T* lanes, size_t n);  // a partial store
};

struct SimdTable {
  const char* isa;
  bool emulated;  // computed with another ISA's instructions
  SimdOps<float> f32;
  SimdOps<double> f64;
};

namespace scalar {
extern const SimdTable kSimdTable;
}
namespace avx2 {
extern const SimdTable kSimdTable;
}
namespace avx512 {
extern const SimdTable kSimdTable;
}
namespace neon {
extern const SimdTable kSimdTable;
}

}  // namespace gradstep
