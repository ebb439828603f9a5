// Collective calls over messages between two ranks. Sums are made in the order of ranks: their bits are those of
// drivers/collective.h, and of one process that adds up the same arrays one after the other.
#pragma once
#include "../drivers/collective.h"
#include "../runtime/buffer.h"
#include "transport.h"

namespace gradstep::mpi {

class Collectives {
 public:
  explicit Collectives(Transport& transport) : to_(transport) {}

  // Memory for calls of any size. False when there is none.
  [[nodiscard]] bool prepare();

  // Does what drivers/collective.h says of `own.what`. `all` has what each rank has brought, as far as the call depends
  // on it (see `fault_among`), and fits together; at this rank's place is its own. False when the transport has failed.
  [[nodiscard]] bool perform(const Brought& own, const Brought* const* all, bool in_order);

 private:
  template <class T> bool all_reduce(T* data, size_t count, double factor);
  template <class T> bool exchange_all(T* data, size_t count, double factor);
  template <class T> bool sum_part(const T* in, T* out, size_t count, double factor);
  template <class T> bool share_parts(T* data, size_t count);
  template <class T> bool pass_on(const Brought* const* all, size_t i, double factor);
  template <class T> void fold(T* sum, const Brought& own, size_t i, size_t at, size_t count, bool is_begun);
  bool all_reduce(const Brought& own, bool in_order);
  bool all_reduce_packed(const Brought& own, size_t first, size_t last, double factor, bool in_order);
  bool all_reduce_span(const Span& span, double factor, bool in_order);
  bool reduce(const Brought* const* all);
  bool reduce_scatter(const Brought& own, bool in_order);
  bool all_gather(const Brought& own, const Brought* const* all);
  bool gather(const Brought& own, const Brought* const* all);
  bool broadcast(const Brought& own);
  bool broadcast_span(void* data, size_t bytes, size_t root);
  bool send_whole(const void* data, size_t bytes, size_t to);
  bool receive_whole(void* data, size_t bytes, size_t from);
  bool is_small(size_t bytes) const;

  template <class T> T* slot(size_t batch, size_t rank) {
    return reinterpret_cast<T*>(scratch_.data() + (batch * to_.size() + rank) * chunk_bytes());
  }
  size_t chunk_bytes() const;

  Transport& to_;
  Buffer<char> scratch_;  // two chunks of every rank
  Buffer<char> packed_;   // small arrays that go together
};

}  // namespace gradstep::mpi
