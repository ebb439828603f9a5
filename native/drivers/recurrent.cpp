#include "recurrent.h"

#include <string.h>

#include <algorithm>

#include "../runtime/buffer.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"
#include "gemm.h"
#include "normalization.h"
#include "scratch.h"

namespace gradstep {
namespace {

// What has no elements may have no address.
void copy_bytes(void* to, const void* from, size_t bytes) {
  if (bytes > 0) memcpy(to, from, bytes);
}

// The recurrent kernel is multiplied from panels of so many columns, packed once for all times.
constexpr size_t kPanel = 32;

// Rows of the batch that are worth a thread: these go through all times on their own, nobody waits for anybody.
constexpr size_t kLeastRows = 4;

// Where the parts of what is saved lie.
template <class T> struct Saved { T *x, *hidden, *side, *gates; };
template <class T> Saved<T> saved_parts(const RecurrentShape& s, T* saved) {
  const size_t states = (s.time + 1) * s.batch * s.units;
  T* const hidden = saved + s.time * s.batch * s.inputs;
  return {saved, hidden, hidden + states, hidden + 2 * states};
}

// f(time, batch, row of [time, batch], row of what may lie by batches) over the threads of the pool.
template <class F> void each_row(const RecurrentShape& s, F f) {
  if (s.batch == 0) return;
  parallel_for(s.time, [&](size_t t) {
    for (size_t b = 0; b < s.batch; ++b) f(t, b, t * s.batch + b, s.is_time_major ? t * s.batch + b : b * s.time + t);
  });
}

template <class T> void copy_or_clear(T* to, const T* from, size_t count) {
  if (from != nullptr) copy_bytes(to, from, count * sizeof(T));
  else std::fill_n(to, count, T(0));
}

template <class T> class Layer {
 public:
  explicit Layer(const RecurrentShape& s)
      : s_(s), table_(of<T>(kernels())), wide_(s.gates() * s.units), rows_(s.time * s.batch) {}

 protected:
  // The rows of the batch in parts, one after the other on a thread, with so many elements of memory for each row.
  template <class F> bool each_part(size_t elements, F f) const {
    const size_t most = std::max<size_t>(1, blocks_of(s_.batch, kLeastRows));
    const size_t rows =
        std::max<size_t>(1, blocks_of(blocks_of(s_.batch, std::min(threads(), most)), kLeastRows)) * kLeastRows;
    const size_t bytes = round_to_line(elements * rows * sizeof(T)) + kGemmScratchBytes;
    return parallel_with_scratch(blocks_of(s_.batch, rows), bytes, [&](size_t part, char* memory) {
      const size_t first = part * rows;
      f(first, std::min(rows, s_.batch - first), memory);
    });
  }

  // f(first, count) for each run of rows that are alive at this time, else(row) for each other.
  template <class F, class G> void each_alive(size_t t, size_t first, size_t count, F f, G other) const {
    if (s_.lengths == nullptr) return f(first, count);
    const auto is_alive = [&](size_t b) { return s_.lengths[b] > t; };
    for (size_t b = first, end = first + count; b < end;) {
      size_t next = b;
      while (next < end && is_alive(next)) ++next;
      if (next > b) f(b, next - b);
      for (b = next; b < end && !is_alive(b); ++b) other(b);
    }
  }

  // c[m, n] (+)= a[m, k] b, b in panels that are panel_rows rows apart.
  void multiply(T* c, size_t ldc, const T* a, size_t lda, const T* panels, size_t panel_rows, size_t m, size_t n,
                size_t k, bool accumulate, void* scratch) const {
    for (size_t j = 0; j < n; j += kPanel) {
      Gemm<T> g = {};
      g.m = m, g.n = std::min(kPanel, n - j), g.k = k;
      g.a = a, g.lda = lda;
      g.b = panels + j * panel_rows, g.ldb = kPanel;
      g.c = c + j, g.ldc = ldc, g.accumulate = accumulate;
      g.scratch = scratch;
      table_.gemm(g);
    }
  }

  static size_t panels_of(size_t columns) { return blocks_of(columns, kPanel) * kPanel; }

  const RecurrentShape& s_;
  const Kernels<T>& table_;
  const size_t wide_, rows_;
};

template <class T> class Forward : Layer<T> {
  using Base = Layer<T>;
  using Base::rows_;
  using Base::s_;
  using Base::wide_;

 public:
  Forward(const RecurrentShape& s, const Recurrent<T>& a) : Base(s), a_(a), saved_(saved_parts(s, a.saved)) {}

  bool run() {
    const size_t states = s_.batch * s_.units;
    if (!prepare()) return false;
    each_row(s_, [&](size_t, size_t, size_t row, size_t given) {
      copy_bytes(saved_.x + row * s_.inputs, a_.x + given * s_.inputs, s_.inputs * sizeof(T));
    });
    Gemm<T> g = {};
    g.m = rows_, g.n = wide_, g.k = s_.inputs;
    g.a = saved_.x, g.lda = s_.inputs;
    g.b = a_.kernel, g.ldb = wide_;
    g.c = saved_.gates, g.ldc = wide_;
    g.bias = bias_;
    if (!gemm(g)) return false;
    copy_or_clear(saved_.hidden, a_.hidden, states);
    if (s_.cell == Cell::lstm) copy_or_clear(saved_.side, a_.cells, states);
    const bool good = this->each_part(0, [&](size_t first, size_t count, char* scratch) {
      for (size_t t = 0; t < s_.time; ++t) {
        if (s_.cell == Cell::lstm) lstm(t, first, count, scratch);
        else gru(t, first, count, scratch);
        leave(t, first, count);
      }
    });
    copy_bytes(a_.state, saved_.hidden + s_.time * states, states * sizeof(T));
    if (s_.cell == Cell::lstm) copy_bytes(a_.state + states, saved_.side + s_.time * states, states * sizeof(T));
    return good;
  }

 private:
  // The recurrent kernel in panels, that of a GRU's candidate by itself, and one bias of both where they just add up.
  bool prepare() {
    const size_t units = s_.units, split = s_.cell == Cell::lstm ? wide_ : 2 * units;
    const size_t most = units * (Base::panels_of(split) + Base::panels_of(wide_ - split));
    thread_local Buffer<T> memory;
    if (!memory.resize(most + wide_ + 1)) return false;
    gate_panels_ = memory.data(), candidate_panels_ = gate_panels_ + units * Base::panels_of(split);
    pack(gate_panels_, 0, split);
    pack(candidate_panels_, split, wide_);
    T* const bias = memory.data() + most;
    bias_ = a_.bias;
    if (a_.recurrent_bias == nullptr) return true;
    copy_or_clear(bias, a_.bias, wide_);
    for (size_t i = 0; i < split; ++i) bias[i] += a_.recurrent_bias[i];
    bias_ = bias;
    return true;
  }

  void pack(T* panels, size_t begin, size_t end) const {
    for (size_t j = begin; j < end; j += kPanel, panels += s_.units * kPanel) {
      const size_t width = std::min(kPanel, end - j);
      for (size_t i = 0; i < s_.units; ++i)
        copy_bytes(panels + i * kPanel, a_.recurrent + i * wide_ + j, width * sizeof(T));
    }
  }

  void lstm(size_t t, size_t first, size_t count, void* scratch) const {
    const size_t units = s_.units, row = t * s_.batch + first, next = row + s_.batch;
    T* const gates = saved_.gates + row * wide_;
    this->multiply(gates, wide_, saved_.hidden + row * units, units, gate_panels_, units, count, wide_, units, true,
                   scratch);
    this->table_.lstm_rows({count, units, s_.order, static_cast<T>(s_.forget_bias), gates, saved_.side + row * units,
                            saved_.side + next * units, saved_.hidden + next * units});
  }

  void gru(size_t t, size_t first, size_t count, void* scratch) const {
    const size_t units = s_.units, row = t * s_.batch + first;
    T *const gates = saved_.gates + row * wide_, *const side = saved_.side + row * units;
    const T* const before = saved_.hidden + row * units;
    const GruRows<T> rows = {
        count, units, s_.reset_after, gates, side, before, saved_.hidden + (row + s_.batch) * units};
    this->multiply(gates, wide_, before, units, gate_panels_, units, count, 2 * units, units, true, scratch);
    if (s_.reset_after) {
      const T* const bias = a_.recurrent_bias ? a_.recurrent_bias + 2 * units : nullptr;
      for (size_t i = 0; i < count; ++i) copy_or_clear(side + i * units, bias, units);
      this->multiply(side, units, before, units, candidate_panels_, units, count, units, units, true, scratch);
    } else {
      this->table_.gru_reset(rows);
      this->multiply(gates + 2 * units, wide_, side, units, candidate_panels_, units, count, units, units, true,
                     scratch);
    }
    this->table_.gru_rows(rows);
  }

  // Outputs; and states that stay where a row has ended.
  void leave(size_t t, size_t first, size_t count) const {
    const size_t units = s_.units, bytes = units * sizeof(T), states = s_.batch * units;
    const auto y = [&](size_t b) { return a_.y + (s_.is_time_major ? t * s_.batch + b : b * s_.time + t) * units; };
    T *const hidden = saved_.hidden + t * states, *const side = saved_.side + t * states;
    this->each_alive(
        t, first, count,
        [&](size_t from, size_t n) {
          for (size_t b = from; b < from + n; ++b) copy_bytes(y(b), hidden + states + b * units, bytes);
        },
        [&](size_t b) {
          std::fill_n(y(b), units, T(0));
          copy_bytes(hidden + states + b * units, hidden + b * units, bytes);
          if (s_.cell == Cell::lstm) copy_bytes(side + states + b * units, side + b * units, bytes);
        });
  }

  const Recurrent<T>& a_;
  const Saved<T> saved_;
  T *gate_panels_ = nullptr, *candidate_panels_ = nullptr;
  const T* bias_ = nullptr;
};

template <class T> class Backward : Layer<T> {
  using Base = Layer<T>;
  using Base::rows_;
  using Base::s_;
  using Base::wide_;

 public:
  Backward(const RecurrentShape& s, const RecurrentGradient<T>& a)
      : Base(s), a_(a), saved_(saved_parts(s, const_cast<T*>(a.saved))) {}

  bool run() {
    const size_t units = s_.units, panels = Base::panels_of(units);
    const bool is_apart = s_.cell == Cell::gru && s_.reset_after;  // two gradients of what goes into the gates
    thread_local Buffer<T> memory;
    if (!memory.resize(wide_ * panels + (is_apart ? 2 : 1) * rows_ * wide_ + rows_ * s_.inputs + 1)) return false;
    panels_ = memory.data();
    dgates_ = panels_ + wide_ * panels;
    drecurrent_ = is_apart ? dgates_ + rows_ * wide_ : dgates_;
    T* const dx = drecurrent_ + rows_ * wide_;
    for (size_t j = 0; j < units; j += kPanel) {
      this->table_.transpose(panels_ + j * wide_, kPanel, a_.recurrent + j * wide_, wide_, std::min(kPanel, units - j),
                             wide_);
    }
    const bool good = this->each_part(4 * units, [&](size_t first, size_t count, char* scratch) {
      through_time(first, count, reinterpret_cast<T*>(scratch),
                   scratch + round_to_line(4 * units * rows_a_part(count) * sizeof(T)));
    });
    return good && weights() && inputs(dx);
  }

 private:
  static size_t rows_a_part(size_t count) { return blocks_of(count, kLeastRows) * kLeastRows; }

  void through_time(size_t first, size_t count, T* memory, void* scratch) const {
    const size_t units = s_.units, part = count * units, states = s_.batch * units;
    T *dh = memory, *next = dh + part;
    T *const dc = next + part, *const dside = dc + part;
    const bool is_lstm = s_.cell == Cell::lstm;
    copy_or_clear(dh, a_.dlast ? a_.dlast + first * units : nullptr, part);
    if (is_lstm) copy_or_clear(dc, a_.dlast ? a_.dlast + states + first * units : nullptr, part);
    for (size_t t = s_.time; t-- > 0;) {
      this->each_alive(
          t, first, count, [&](size_t from, size_t n) { gates(t, from, n, first, dh, next, dc); },
          [&](size_t b) {
            const size_t row = (t * s_.batch + b) * wide_;
            std::fill_n(dgates_ + row, wide_, T(0));
            std::fill_n(drecurrent_ + row, wide_, T(0));
          });
      const size_t row = t * s_.batch + first;
      if (is_lstm) {
        product(next, dgates_ + row * wide_, 0, wide_, count, false, scratch);
      } else if (s_.reset_after) {
        product(next, drecurrent_ + row * wide_, 0, wide_, count, true, scratch);
      } else {
        product(dside, dgates_ + row * wide_, 2 * units, units, count, false, scratch);
        this->each_alive(
            t, first, count, [&](size_t from, size_t n) { reset(t, from, n, first, next, dside); }, [](size_t) {});
        product(next, dgates_ + row * wide_, 0, 2 * units, count, true, scratch);
      }
      this->each_alive(
          t, first, count, [](size_t, size_t) {},
          [&](size_t b) { copy_bytes(next + (b - first) * units, dh + (b - first) * units, units * sizeof(T)); });
      std::swap(dh, next);
    }
    copy_bytes(a_.dstate + first * units, dh, part * sizeof(T));
    if (is_lstm) copy_bytes(a_.dstate + states + first * units, dc, part * sizeof(T));
  }

  // dh [rows, units] (+)= gradients of gates times the recurrent kernel's columns [from, from + k), transposed.
  void product(T* dh, const T* dgates, size_t from, size_t k, size_t count, bool accumulate, void* scratch) const {
    this->multiply(dh, s_.units, dgates + from, wide_, panels_ + from * kPanel, wide_, count, s_.units, k, accumulate,
                   scratch);
  }

  // Of rows [from, from + n) at one time; dh, next and dc begin with row `first`.
  void gates(size_t t, size_t from, size_t n, size_t first, T* dh, T* next, T* dc) const {
    const size_t units = s_.units, row = t * s_.batch + from, after = row + s_.batch, at = (from - first) * units;
    for (size_t b = from; b < from + n && a_.dy != nullptr; ++b) {
      const T* const dy = a_.dy + (s_.is_time_major ? t * s_.batch + b : b * s_.time + t) * units;
      this->table_.add_scaled(dh + (b - first) * units, dy, 1.0, units);
    }
    if (s_.cell == Cell::lstm) {
      this->table_.lstm_rows_gradient({n, units, s_.order, saved_.gates + row * wide_, saved_.side + row * units,
                                       saved_.side + after * units, dh + at, dc + at, dgates_ + row * wide_});
    } else {
      this->table_.gru_rows_gradient(gru(row, n, dh + at, next + at, nullptr));
    }
  }

  void reset(size_t t, size_t from, size_t n, size_t first, T* next, T* dside) const {
    const size_t at = (from - first) * s_.units;
    this->table_.gru_reset_gradient(gru(t * s_.batch + from, n, nullptr, next + at, dside + at));
  }

  GruRowsGradient<T> gru(size_t row, size_t n, const T* dh, T* next, T* dside) const {
    const size_t units = s_.units;
    return {n,
            units,
            s_.reset_after,
            saved_.gates + row * wide_,
            saved_.side + row * units,
            saved_.hidden + row * units,
            dh,
            dgates_ + row * wide_,
            drecurrent_ + row * wide_,
            dside,
            next};
  }

  // dkernel = x^T dgates, drecurrent likewise of the states before, each one product over all times; biases.
  bool weights() const {
    const size_t units = s_.units, split = s_.cell == Cell::gru && !s_.reset_after ? 2 * units : wide_;
    return transposed_product(a_.dkernel, saved_.x, s_.inputs, dgates_, 0, wide_) &&
           transposed_product(a_.drecurrent, saved_.hidden, units, drecurrent_, 0, split) &&
           (split == wide_ || transposed_product(a_.drecurrent, saved_.side, units, dgates_, split, units)) &&
           (a_.dbias == nullptr || sum_down(a_.dbias, dgates_, rows_, wide_)) &&
           (a_.drecurrent_bias == nullptr || sum_down(a_.drecurrent_bias, drecurrent_, rows_, wide_));
  }

  // Columns [from, from + n) of c [m, wide] = a^T b, of a [rows, m] and b [rows, wide].
  bool transposed_product(T* c, const T* a, size_t m, const T* b, size_t from, size_t n) const {
    Gemm<T> g = {};
    g.m = m, g.n = n, g.k = rows_;
    g.a = a, g.lda = m, g.transpose_a = true;
    g.b = b + from, g.ldb = wide_;
    g.c = c + from, g.ldc = wide_;
    return gemm(g);
  }

  bool inputs(T* dx) const {
    if (a_.dx == nullptr) return true;
    Gemm<T> g = {};
    g.m = rows_, g.n = s_.inputs, g.k = wide_;
    g.a = dgates_, g.lda = wide_;
    g.b = a_.kernel, g.ldb = wide_, g.transpose_b = true;
    g.c = s_.is_time_major ? a_.dx : dx, g.ldc = s_.inputs;
    if (!gemm(g)) return false;
    if (s_.is_time_major) return true;
    each_row(s_, [&](size_t, size_t, size_t row, size_t given) {
      copy_bytes(a_.dx + given * s_.inputs, dx + row * s_.inputs, s_.inputs * sizeof(T));
    });
    return true;
  }

  const RecurrentGradient<T>& a_;
  const Saved<T> saved_;
  T *panels_ = nullptr, *dgates_ = nullptr, *drecurrent_ = nullptr;
};

}  // namespace

size_t saved_elements(const RecurrentShape& s) {
  return s.time * s.batch * (s.inputs + s.gates() * s.units) + 2 * (s.time + 1) * s.batch * s.units;
}

template <class T> bool recurrent(const RecurrentShape& s, const Recurrent<T>& a) { return Forward<T>(s, a).run(); }
template <class T> bool recurrent_gradient(const RecurrentShape& s, const RecurrentGradient<T>& a) {
  return Backward<T>(s, a).run();
}

#define GRADSTEP_INSTANTIATE(T)                                           \
  template bool recurrent<T>(const RecurrentShape&, const Recurrent<T>&); \
  template bool recurrent_gradient<T>(const RecurrentShape&, const RecurrentGradient<T>&);
GRADSTEP_INSTANTIATE(float)
GRADSTEP_INSTANTIATE(double)

}  // namespace gradstep
