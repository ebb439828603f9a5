// What the kernels of recurrent cells are given: rows of a batch at one time.
#pragma once
#include <stddef.h>

namespace gradstep {

// Where the gates of an LSTM stand among the four, each `units` wide: input, new input, forget, output.
struct LstmOrder { unsigned char i, j, f, o; };

template <class T> struct LstmRows {
  size_t rows, units;
  LstmOrder order;
  T forget_bias;
  T* gates;         // [rows, 4 units]: what goes into them, which becomes what comes out
  const T* before;  // [rows, units]: the cells as they were
  T *cells, *hidden;
};

template <class T> struct LstmRowsGradient {
  size_t rows, units;
  LstmOrder order;
  const T *gates, *before, *cells, *dhidden;
  T* dcells;  // of the cells; becomes that of the cells before
  T* dgates;  // of what goes into the gates
};

// Gates [rows, 3 units]: reset r, update u, candidate c. hidden = u before + (1 - u) c.
template <class T> struct GruRows {
  size_t rows, units;
  bool reset_after;  // side: what the candidate takes of `before`, to be multiplied by r; else r before, once known
  T *gates, *side;   // side [rows, units]
  const T* before;
  T* hidden;
};

template <class T> struct GruRowsGradient {
  size_t rows, units;
  bool reset_after;
  const T *gates, *side, *before, *dhidden;
  T* dgates;      // of what goes into the gates from x
  T* drecurrent;  // reset_after: of what goes into them from `before`
  T* dside;       // else: of r before, once known
  T* dbefore;     // the part that does not go through the gates
};

}  // namespace gradstep
