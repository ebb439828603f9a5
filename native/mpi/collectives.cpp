#include "collectives.h"

#include <string.h>

#include <algorithm>

#include "../drivers/blocks.h"
#include "../kernels/table.h"
#include "../runtime/dispatch.h"

namespace gradstep::mpi {
namespace {

constexpr size_t kMostChunkBytes = size_t{512} << 10, kLeastChunkBytes = size_t{4} << 10;
constexpr size_t kScratchBytes = size_t{16} << 20;
constexpr size_t kPackedBytes = size_t{256} << 10;  // arrays of less are sent together
constexpr size_t kSmallBytes = size_t{64} << 10;    // of all other ranks: these are sent to each other whole
constexpr size_t kPipelineBytes = size_t{1} << 20;

size_t bytes_of(const Span& span) { return span.length * gradstep::bytes_of(span.kind); }

char* bytes_at(const Span& span) { return static_cast<char*>(span.data); }

template <class F> bool with_float(Kind kind, F f) { return kind == Kind::kFloat32 ? f(float()) : f(double()); }

void copy(void* to, const void* from, size_t bytes) {
  if (bytes > 0 && to != from) memcpy(to, from, bytes);
}

bool has_term(const Brought& brought, size_t i) {
  for (size_t term = 0; term < brought.terms; ++term) {
    if (!brought.in[term * brought.arrays + i].is_absent) return true;
  }
  return false;
}

}  // namespace

size_t Collectives::chunk_bytes() const {
  const size_t even = kScratchBytes / (2 * to_.size()) / 64 * 64;
  return std::min(kMostChunkBytes, std::max(kLeastChunkBytes, even));
}

bool Collectives::prepare() {
  return scratch_.resize(std::max(2 * to_.size() * chunk_bytes(), kSmallBytes * 2)) &&
         packed_.reserve(kPackedBytes * 2);
}

bool Collectives::perform(const Brought& own, const Brought* const* all, bool in_order) {
  switch (own.what) {
    case Collective::kBarrier: return true;
    case Collective::kAllReduce: return all_reduce(own, in_order);
    case Collective::kReduce: return reduce(all);
    case Collective::kReduceScatter: return reduce_scatter(own, in_order);
    case Collective::kAllGather:
    case Collective::kGatherMade: return all_gather(own, all);
    case Collective::kGather: return gather(own, all);
    case Collective::kBroadcast: return broadcast(own);
  }
  return false;
}

// All send all of theirs to all: one way there, where it is little.
template <class T> bool Collectives::exchange_all(T* data, size_t count, double factor) {
  const size_t rank = to_.rank(), size = to_.size();
  T* const received = reinterpret_cast<T*>(scratch_.data());
  const auto place = [&](size_t other) { return received + (other < rank ? other : other - 1) * count; };
  for (size_t other = 0; other < size; ++other) {
    if (other != rank && !to_.receive(0, place(other), count * sizeof(T), other)) return false;
  }
  for (size_t i = 1; i < size; ++i) {
    if (!to_.send(0, data, count * sizeof(T), (rank + i) % size)) return false;
  }
  if (!to_.wait(0)) return false;
  // One rank's memory after the other, without a list of them: there may be many ranks, and little of each.
  const Kernels<T>& table = of<T>(kernels());
  T* const sum = rank == 0 ? data : place(0);
  for (size_t other = 1; other < size; ++other) {
    table.add_scaled(sum, other == rank ? data : place(other), 1.0, count);
  }
  if (factor != 1.0) table.scale(sum, sum, factor, count);
  copy(data, sum, count * sizeof(T));
  return true;
}

// Adds up this rank's part of `in`, which is `count` elements long. `out` may be where the part is.
template <class T> bool Collectives::sum_part(const T* in, T* out, size_t count, double factor) {
  const size_t rank = to_.rank(), size = to_.size(), chunk = chunk_bytes() / sizeof(T);
  const auto start = [&](size_t of) { return part_start(count, of, size); };
  const auto length = [&](size_t of) { return start(of + 1) - start(of); };
  // The parts of the first ranks are the longest.
  const size_t chunks = (length(0) + chunk - 1) / chunk;
  const auto piece = [&](size_t of, size_t c) {
    return c * chunk >= length(of) ? 0 : std::min(chunk, length(of) - c * chunk);
  };
  const auto begin = [&](size_t c) {
    const size_t mine = piece(rank, c);
    for (size_t other = 0; other < size; ++other) {
      if (other == rank || mine == 0) continue;
      if (!to_.receive(c % 2, slot<T>(c % 2, other), mine * sizeof(T), other)) return false;
    }
    for (size_t i = 1; i < size; ++i) {
      const size_t other = (rank + i) % size, theirs = piece(other, c);
      if (theirs > 0 && !to_.send(c % 2, in + start(other) + c * chunk, theirs * sizeof(T), other)) return false;
    }
    return true;
  };
  T* const own = const_cast<T*>(in) + start(rank);
  if (chunks > 0 && !begin(0)) return false;
  for (size_t c = 0; c < chunks; ++c) {
    if (c + 1 < chunks && !begin(c + 1)) return false;
    if (!to_.wait(c % 2)) return false;
    const size_t n = piece(rank, c);
    if (n == 0) continue;
    T* const sum = out + c * chunk;
    T* const mine = own + c * chunk;
    const Kernels<T>& table = of<T>(kernels());
    T* const first = rank == 0 ? mine : slot<T>(c % 2, 0);
    for (size_t at = 0; at < n; at += kBlockElements) {
      const size_t block = std::min(kBlockElements, n - at);
      // What is received may be written; this rank's own array only where the sum goes.
      T* const to = rank == 0 ? sum + at : first + at;
      if (to != first + at) table.scale(to, first + at, 1.0, block);
      for (size_t other = 1; other < size; ++other) {
        table.add_scaled(to, (other == rank ? mine : slot<T>(c % 2, other)) + at, 1.0, block);
      }
      if (factor != 1.0) table.scale(to, to, factor, block);
      copy(sum + at, to, block * sizeof(T));
    }
  }
  return true;
}

bool Collectives::send_whole(const void* data, size_t bytes, size_t to) {
  for (size_t at = 0; at < bytes; at += Transport::kMostBytes) {
    const size_t n = std::min(Transport::kMostBytes, bytes - at);
    if (!to_.send(0, static_cast<const char*>(data) + at, n, to)) return false;
  }
  return true;
}

bool Collectives::receive_whole(void* data, size_t bytes, size_t from) {
  for (size_t at = 0; at < bytes; at += Transport::kMostBytes) {
    const size_t n = std::min(Transport::kMostBytes, bytes - at);
    if (!to_.receive(0, static_cast<char*>(data) + at, n, from)) return false;
  }
  return true;
}

// Every rank gives its part to all.
template <class T> bool Collectives::share_parts(T* data, size_t count) {
  const size_t rank = to_.rank(), size = to_.size();
  const auto start = [&](size_t of) { return part_start(count, of, size); };
  for (size_t other = 0; other < size; ++other) {
    if (other == rank) continue;
    if (!receive_whole(data + start(other), (start(other + 1) - start(other)) * sizeof(T), other)) return false;
  }
  for (size_t i = 1; i < size; ++i) {
    const size_t bytes = (start(rank + 1) - start(rank)) * sizeof(T);
    if (!send_whole(data + start(rank), bytes, (rank + i) % size)) return false;
  }
  return to_.wait(0);
}

bool Collectives::is_small(size_t bytes) const { return bytes * (to_.size() - 1) <= kSmallBytes; }

template <class T> bool Collectives::all_reduce(T* data, size_t count, double factor) {
  if (count == 0) return true;
  if (is_small(count * sizeof(T))) return exchange_all(data, count, factor);
  return sum_part(data, data + part_start(count, to_.rank(), to_.size()), count, factor) && share_parts(data, count);
}

bool Collectives::all_reduce_span(const Span& span, double factor, bool in_order) {
  return with_float(span.kind, [&](auto t) {
    using T = decltype(t);
    T* const data = static_cast<T*>(span.data);
    const Kernels<T>& table = of<T>(kernels());
    if (to_.size() > 1 && in_order) return all_reduce(data, span.length, factor);
    if (to_.size() > 1 && span.length > 0 && !to_.sum(data, span.length, FormatOf<T>::kFormat)) return false;
    if (factor != 1.0 && span.length > 0) table.scale(data, data, factor, span.length);
    return true;
  });
}

bool Collectives::all_reduce_packed(const Brought& own, size_t first, size_t last, double factor, bool in_order) {
  packed_.clear();
  for (size_t i = first; i < last; ++i) {
    const size_t bytes = bytes_of(own.in[i]);
    copy(packed_.extend_reserved(bytes), own.in[i].data, bytes);
  }
  const size_t length = packed_.size() / gradstep::bytes_of(own.in[first].kind);
  if (!all_reduce_span({packed_.data(), length, own.in[first].kind, false}, factor, in_order)) return false;
  const char* from = packed_.data();
  for (size_t i = first; i < last; ++i) {
    copy(own.in[i].data, from, bytes_of(own.in[i]));
    from += bytes_of(own.in[i]);
  }
  return true;
}

bool Collectives::all_reduce(const Brought& own, bool in_order) {
  const double factor = factor_of(own.is_mean, to_.size());
  for (size_t first = 0, last = 0; first < own.arrays; first = last) {
    size_t bytes = 0;
    for (last = first; last < own.arrays && own.in[last].kind == own.in[first].kind; ++last) {
      if (bytes + bytes_of(own.in[last]) > kPackedBytes) break;
      bytes += bytes_of(own.in[last]);
    }
    if (last > first + 1 && to_.size() > 1) {
      if (!all_reduce_packed(own, first, last, factor, in_order)) return false;
      continue;
    }
    last = first + 1;
    if (!all_reduce_span(own.in[first], factor, in_order)) return false;
  }
  return true;
}

bool Collectives::reduce_scatter(const Brought& own, bool in_order) {
  const double factor = factor_of(own.is_mean, to_.size());
  for (size_t i = 0; i < own.arrays; ++i) {
    const Span &in = own.in[i], &out = own.out[i];
    const bool done = with_float(in.kind, [&](auto t) {
      using T = decltype(t);
      if (in.length == 0) return true;
      T* const sum = static_cast<T*>(out.data);
      // What all ranks find alike: they sum in one way.
      const bool are_even = in.length % to_.size() == 0 && in.length <= Transport::kMostSummed;
      if (in_order || !are_even || to_.size() == 1) {
        return sum_part(static_cast<const T*>(in.data), sum, in.length, factor);
      }
      if (!to_.sum_part(in.data, sum, out.length, FormatOf<T>::kFormat)) return false;
      if (factor != 1.0) of<T>(kernels()).scale(sum, sum, factor, out.length);
      return true;
    });
    if (!done) return false;
  }
  return true;
}

// Adds this rank's terms to a sum that is begun, or begins it.
template <class T>
void Collectives::fold(T* sum, const Brought& own, size_t i, size_t at, size_t count, bool is_begun) {
  const Kernels<T>& table = of<T>(kernels());
  for (size_t term = 0; term < own.terms; ++term) {
    const Span& in = own.in[term * own.arrays + i];
    if (in.is_absent) continue;
    const T* const x = static_cast<const T*>(in.data) + at;
    if (is_begun) table.add_scaled(sum, x, 1.0, count);
    else table.scale(sum, x, 1.0, count);
    is_begun = true;
  }
}

// The sum goes from one rank that has terms to the next, each of which adds its own, and from the last to the root.
template <class T> bool Collectives::pass_on(const Brought* const* all, size_t i, double factor) {
  const size_t rank = to_.rank(), size = to_.size(), root = all[rank]->root, none = size;
  const auto next_with = [&](size_t from) {
    while (from < size && !has_term(*all[from], i)) ++from;
    return from;
  };
  size_t before = none, last = none;
  for (size_t at = next_with(0); at < size; at = next_with(at + 1)) {
    if (at < rank) before = at;
    last = at;
  }
  if (last == none) return true;
  const bool takes_part = has_term(*all[rank], i);
  if (!takes_part && rank != root) return true;
  const size_t after = takes_part && rank != last ? next_with(rank + 1) : none;
  // A rank that is not the root knows the length by its own terms.
  size_t length = 0;
  T* out = nullptr;
  if (rank == root) {
    length = all[rank]->out[i].length;
    out = static_cast<T*>(all[rank]->out[i].data);
  } else {
    for (size_t term = 0; term < all[rank]->terms; ++term) {
      const Span& in = all[rank]->in[term * all[rank]->arrays + i];
      if (!in.is_absent) length = in.length;
    }
  }
  const Kernels<T>& table = of<T>(kernels());
  const size_t chunk = chunk_bytes() / sizeof(T);
  size_t c = 0;
  for (size_t at = 0; at < length; at += chunk, ++c) {
    const size_t n = std::min(chunk, length - at), batch = c % 2;
    if (rank == root && last != root && !to_.receive(2, out + at, n * sizeof(T), last)) return false;
    if (!takes_part) continue;
    if (!to_.wait(batch)) return false;  // what was sent from here before
    T* const sum = slot<T>(batch, 0);
    if (before != none && !(to_.receive(batch, sum, n * sizeof(T), before) && to_.wait(batch))) return false;
    fold(sum, *all[rank], i, at, n, before != none);
    if (rank == last && factor != 1.0) table.scale(sum, sum, factor, n);
    if (rank == last && rank == root) copy(out + at, sum, n * sizeof(T));
    else if (!to_.send(batch, sum, n * sizeof(T), rank == last ? root : after)) return false;
  }
  return to_.wait(0) && to_.wait(1) && to_.wait(2);
}

bool Collectives::reduce(const Brought* const* all) {
  size_t terms = 0;
  for (size_t rank = 0; rank < to_.size(); ++rank) terms += all[rank]->terms;
  const Brought& own = *all[to_.rank()];
  const double factor = factor_of(own.is_mean, terms);
  for (size_t i = 0; i < own.arrays; ++i) {
    const Span* kind = own.outs > 0 ? &own.out[i] : nullptr;
    for (size_t term = 0; term < own.terms && kind == nullptr; ++term) {
      const Span& in = own.in[term * own.arrays + i];
      if (!in.is_absent) kind = &in;
    }
    if (kind == nullptr) continue;  // neither the root nor one that has something to add
    const bool done = with_float(kind->kind, [&](auto t) { return pass_on<decltype(t)>(all, i, factor); });
    if (!done) return false;
  }
  return true;
}

bool Collectives::all_gather(const Brought& own, const Brought* const* all) {
  const size_t rank = to_.rank(), size = to_.size();
  for (size_t i = 0; i < own.arrays; ++i) {
    char* next = bytes_at(own.out[i]);
    for (size_t other = 0; other < size; ++other) {
      const size_t bytes = bytes_of(all[other]->in[i]);
      if (other == rank) copy(next, own.in[i].data, bytes);
      else if (!receive_whole(next, bytes, other)) return false;
      if (bytes > 0) next += bytes;
    }
    for (size_t k = 1; k < size; ++k) {
      if (!send_whole(own.in[i].data, bytes_of(own.in[i]), (rank + k) % size)) return false;
    }
    if (!to_.wait(0)) return false;
  }
  return true;
}

bool Collectives::gather(const Brought& own, const Brought* const* all) {
  const size_t rank = to_.rank();
  for (size_t i = 0; i < own.arrays; ++i) {
    if (rank != own.root) {
      if (!send_whole(own.in[i].data, bytes_of(own.in[i]), own.root) || !to_.wait(0)) return false;
      continue;
    }
    char* next = bytes_at(own.out[i]);
    for (size_t other = 0; other < to_.size(); ++other) {
      const size_t bytes = bytes_of(all[other]->in[i]);
      if (other == rank) copy(next, own.in[i].data, bytes);
      else if (!receive_whole(next, bytes, other)) return false;
      if (bytes > 0) next += bytes;
    }
    if (!to_.wait(0)) return false;
  }
  return true;
}

// Down a tree, of which each rank gives on a piece while it receives the next.
bool Collectives::broadcast_span(void* data, size_t bytes, size_t root) {
  const size_t size = to_.size(), place = (to_.rank() + size - root) % size;
  size_t reach = 1;  // to where this rank's children begin
  while (reach < size && (place & reach) == 0) reach *= 2;
  const size_t parent = (place - (place & reach) + root) % size;
  char* const all = static_cast<char*>(data);
  size_t c = 0;
  for (size_t at = 0; at < bytes; at += kPipelineBytes, ++c) {
    const size_t n = std::min(kPipelineBytes, bytes - at);
    if (place != 0 && !(to_.receive(2, all + at, n, parent) && to_.wait(2))) return false;
    if (!to_.wait(c % 2)) return false;
    for (size_t step = reach / 2; step > 0; step /= 2) {
      const size_t child = place + step;
      if (child < size && !to_.send(c % 2, all + at, n, (child + root) % size)) return false;
    }
  }
  return true;
}

bool Collectives::broadcast(const Brought& own) {
  for (size_t i = 0; i < own.arrays && to_.size() > 1; ++i) {
    if (!broadcast_span(own.in[i].data, bytes_of(own.in[i]), own.root)) return false;
  }
  return to_.wait(0) && to_.wait(1);
}

}  // namespace gradstep::mpi
