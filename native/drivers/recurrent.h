// Layers of recurrent cells over all times, and their way back through time.
#pragma once
#include "../kernels/table.h"

namespace gradstep {

enum class Cell : unsigned char { lstm, gru };

struct RecurrentShape {
  Cell cell;
  size_t time, batch, inputs, units;
  bool is_time_major;  // x and y are [time, batch, ...], else [batch, time, ...]
  LstmOrder order;
  double forget_bias;
  bool reset_after;
  const size_t* lengths;  // [batch] or null: from its length on a row keeps its state, and its output is 0

  size_t gates() const { return cell == Cell::lstm ? 4 : 3; }
  size_t states() const { return cell == Cell::lstm ? 2 : 1; }
};

// What the way back needs, one after the other: x by times, hidden states [time + 1, batch, units] from the first, the
// cells of an LSTM as many or what a GRU keeps beside its gates, gates [time, batch, gates units].
size_t saved_elements(const RecurrentShape& s);  // of a shape whose elements can be counted

// kernel [inputs, gates units], recurrent [units, gates units]; biases [gates units] and initial states [batch, units]
// may be null; y as x, with `units`; state [states, batch, units]: the last ones. `recurrent_bias` is for reset_after.
template <class T> struct Recurrent {
  T *y, *state, *saved;
  const T *x, *kernel, *recurrent, *bias, *recurrent_bias, *hidden, *cells;
};
template <class T> struct RecurrentGradient {
  T *dx, *dkernel, *drecurrent, *dbias, *drecurrent_bias, *dstate;  // dstate [states, batch, units] of the first ones
  const T *dy, *dlast;                                              // dlast like state, or null; dy may be null
  const T *saved, *kernel, *recurrent;
};

// Each is false when there is no memory: then what is written means nothing.
template <class T> [[nodiscard]] bool recurrent(const RecurrentShape& s, const Recurrent<T>& a);
template <class T> [[nodiscard]] bool recurrent_gradient(const RecurrentShape& s, const RecurrentGradient<T>& a);

}  // namespace gradstep
