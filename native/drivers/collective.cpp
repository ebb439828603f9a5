#include "collective.h"

#include <string.h>

#include <algorithm>

#include "../kernels/table.h"
#include "../runtime/dispatch.h"
#include "blocks.h"

namespace gradstep {
namespace {

constexpr size_t kElementBytes[] = {4, 8, 4, 8, 1};
// What a rank works on starts at a multiple of this many elements: two never write to one cache line.
constexpr size_t kGrain = 64;

const char* const kNames[] = {"barrier",   "allReduce", "reduce",    "reduceScatter",
                              "allGather", "gather",    "broadcast", "the gather of a compiled step"};

size_t bytes_of(const Span& span) { return span.length * kElementBytes[static_cast<size_t>(span.kind)]; }

bool is_float(Kind kind) { return kind == Kind::kFloat32 || kind == Kind::kFloat64; }

// What all ranks have brought: to a meeting, or to where somebody else has gathered it.
class Gathering {
 public:
  Gathering(const Meeting& meeting, size_t rank, const Brought& own)
      : meeting_(&meeting), all_(nullptr), size_(meeting.size()), rank_(rank), own_(own) {}
  Gathering(const Brought* const* all, size_t size)
      : meeting_(nullptr), all_(all), size_(size), rank_(0), own_(*all[0]) {}

  size_t size() const { return size_; }
  size_t rank() const { return rank_; }
  const Brought& of(size_t rank) const {
    return meeting_ == nullptr ? *all_[rank] : *static_cast<const Brought*>(meeting_->brought_by(rank));
  }
  const Brought& own() const { return own_; }
  const Span& in(size_t rank, size_t i, size_t term = 0) const {
    const Brought& brought = of(rank);
    return brought.in[term * brought.arrays + i];
  }

 private:
  const Meeting* const meeting_;
  const Brought* const* const all_;
  const size_t size_, rank_;
  const Brought& own_;  // the original, where results go
};

std::string of_rank(size_t rank) { return "rank " + std::to_string(rank); }

// Each of these asks the same of every rank in the same order, so that all come to the same answer.

std::string different(const Gathering& all) {
  const Brought& first = all.of(0);
  const std::string name = kNames[static_cast<size_t>(first.what)];
  for (size_t rank = 1; rank < all.size(); ++rank) {
    const Brought& other = all.of(rank);
    if (other.what != first.what) {
      return of_rank(0) + " calls " + name + ", " + of_rank(rank) + " calls " + kNames[static_cast<size_t>(other.what)];
    }
    if (other.root != first.root) return of_rank(0) + " and " + of_rank(rank) + " have another root each";
    if (other.is_mean != first.is_mean) return of_rank(0) + " and " + of_rank(rank) + " have another reduction each";
    if (other.arrays != first.arrays) {
      return of_rank(0) + " brings " + std::to_string(first.arrays) + " arrays, " + of_rank(rank) + " " +
             std::to_string(other.arrays);
    }
  }
  return {};
}

std::string unlike(size_t rank, size_t i, const Span& span, size_t length, Kind kind, const char* what) {
  if (span.length == length && span.kind == kind) return {};
  return std::string(what) + " " + std::to_string(i) + " of " + of_rank(rank) + " has " + std::to_string(span.length) +
         " elements" + (span.kind == kind ? "" : " of another type") + ", expected " + std::to_string(length);
}

std::string no_float(const Span& span, size_t i) {
  return is_float(span.kind) ? std::string() : "array " + std::to_string(i) + " has no floats to be summed";
}

std::string wrong_inputs(const Gathering& all, size_t i, bool is_sum) {
  const Span& first = all.in(0, i);
  std::string fault = is_sum ? no_float(first, i) : std::string();
  for (size_t rank = 1; rank < all.size() && fault.empty(); ++rank) {
    fault = unlike(rank, i, all.in(rank, i), first.length, first.kind, "array");
  }
  return fault;
}

std::string wrong_terms(const Gathering& all, size_t i) {
  const Span& out = all.of(all.own().root).out[i];
  std::string fault = no_float(out, i);
  for (size_t rank = 0; rank < all.size(); ++rank) {
    for (size_t term = 0; term < all.of(rank).terms && fault.empty(); ++term) {
      const Span& in = all.in(rank, i, term);
      if (!in.is_absent) fault = unlike(rank, i, in, out.length, out.kind, "array");
    }
  }
  return fault;
}

std::string wrong_parts(const Gathering& all, size_t i) {
  std::string fault = wrong_inputs(all, i, true);
  const Span& in = all.in(0, i);
  for (size_t rank = 0; rank < all.size() && fault.empty(); ++rank) {
    const size_t length = part_start(in.length, rank + 1, all.size()) - part_start(in.length, rank, all.size());
    fault = unlike(rank, i, all.of(rank).out[i], length, in.kind, "result");
  }
  return fault;
}

std::string wrong_gathered(const Gathering& all, size_t i, size_t first, size_t last) {
  size_t length = 0;
  std::string fault;
  for (size_t rank = 0; rank < all.size(); ++rank) length += all.in(rank, i).length;
  const Kind kind = all.in(0, i).kind;
  for (size_t rank = 1; rank < all.size() && fault.empty(); ++rank) {
    fault = unlike(rank, i, all.in(rank, i), all.in(rank, i).length, kind, "array");
  }
  for (size_t rank = first; rank <= last && fault.empty(); ++rank) {
    fault = unlike(rank, i, all.of(rank).out[i], length, kind, "result");
  }
  return fault;
}

std::string wrong_array(const Gathering& all, size_t i) {
  const Brought& own = all.own();
  switch (own.what) {
    case Collective::kBarrier: return {};
    case Collective::kAllReduce: return wrong_inputs(all, i, true);
    case Collective::kReduce: return wrong_terms(all, i);
    case Collective::kReduceScatter: return wrong_parts(all, i);
    case Collective::kAllGather:
    case Collective::kGatherMade: return wrong_gathered(all, i, 0, all.size() - 1);
    case Collective::kGather: return wrong_gathered(all, i, own.root, own.root);
    case Collective::kBroadcast: return wrong_inputs(all, i, false);
  }
  return {};
}

std::string fault_of(const Gathering& all) {
  std::string fault = different(all);
  for (size_t i = 0; i < all.own().arrays && fault.empty(); ++i) fault = wrong_array(all, i);
  return fault;
}

// The part [first, last) of an array, of all arrays laid end to end, that this rank works on.
struct Part { size_t first, last; };

class Parts {
 public:
  Parts(const Gathering& all, size_t elements) {
    const size_t grains = (elements + kGrain - 1) / kGrain;
    first_ = std::min(elements, kGrain * part_start(grains, all.rank(), all.size()));
    last_ = std::min(elements, kGrain * part_start(grains, all.rank() + 1, all.size()));
  }

  // Of the next array, of this length rounded up.
  Part next(size_t length) {
    const size_t start = start_;
    start_ += rounded(length);
    const auto within = [=](size_t at) { return at <= start ? 0 : std::min(length, at - start); };
    return {within(first_), within(last_)};
  }

  static size_t rounded(size_t length) { return (length + kGrain - 1) / kGrain * kGrain; }

 private:
  size_t first_, last_, start_ = 0;
};

// The sum of terms as it goes on: the first is copied, others are added, in blocks that stay in a cache.
template <class T> class Sum {
 public:
  Sum(T* out, double factor) : out_(out), factor_(factor) {}

  template <class Each> void run(Part part, Each each) {
    const Kernels<T>& table = of<T>(kernels());
    for (size_t at = part.first; at < part.last; at += kBlockElements) {
      const size_t n = std::min(kBlockElements, part.last - at);
      bool is_first = true;
      each([&](const void* data) {
        const T* const x = static_cast<const T*>(data) + at;
        if (!is_first) table.add_scaled(out_ + at, x, 1.0, n);
        else if (x != out_ + at) table.scale(out_ + at, x, 1.0, n);
        is_first = false;
      });
      if (!is_first && factor_ != 1.0) table.scale(out_ + at, out_ + at, factor_, n);
    }
  }

 private:
  T* out_;
  double factor_;
};

// Calls f with a number of the type, which is a float's.
template <class F> void with_float(Kind kind, F f) {
  if (kind == Kind::kFloat32) f(float());
  else f(double());
}

double factor_of(const Gathering& all) {
  size_t terms = 0;
  for (size_t rank = 0; rank < all.size(); ++rank) terms += all.of(rank).terms;
  return gradstep::factor_of(all.own().is_mean, terms);
}

void all_reduce(const Gathering& all) {
  size_t elements = 0;
  const size_t arrays = all.own().arrays;
  for (size_t i = 0; i < arrays; ++i) elements += Parts::rounded(all.in(0, i).length);
  Parts parts(all, elements);
  for (size_t i = 0; i < arrays; ++i) {
    const Span& first = all.in(0, i);
    const Part part = parts.next(first.length);
    with_float(first.kind, [&](auto t) {
      using T = decltype(t);
      T* const out = static_cast<T*>(first.data);
      Sum<T>(out, factor_of(all)).run(part, [&](auto add) {
        for (size_t rank = 0; rank < all.size(); ++rank) add(all.in(rank, i).data);
      });
      if (part.last == part.first) return;
      for (size_t rank = 1; rank < all.size(); ++rank) {
        memcpy(static_cast<T*>(all.in(rank, i).data) + part.first, out + part.first,
               (part.last - part.first) * sizeof(T));
      }
    });
  }
}

void reduce(const Gathering& all) {
  const Brought& root = all.of(all.own().root);
  size_t elements = 0;
  for (size_t i = 0; i < root.arrays; ++i) elements += Parts::rounded(root.out[i].length);
  Parts parts(all, elements);
  for (size_t i = 0; i < root.arrays; ++i) {
    const Part part = parts.next(root.out[i].length);
    with_float(root.out[i].kind, [&](auto t) {
      using T = decltype(t);
      Sum<T>(static_cast<T*>(root.out[i].data), factor_of(all)).run(part, [&](auto add) {
        for (size_t rank = 0; rank < all.size(); ++rank) {
          for (size_t term = 0; term < all.of(rank).terms; ++term) {
            if (!all.in(rank, i, term).is_absent) add(all.in(rank, i, term).data);
          }
        }
      });
    });
  }
}

void reduce_scatter(const Gathering& all) {
  for (size_t i = 0; i < all.own().arrays; ++i) {
    const Span& out = all.own().out[i];
    const size_t start = part_start(all.in(0, i).length, all.rank(), all.size());
    with_float(out.kind, [&](auto t) {
      using T = decltype(t);
      Sum<T>(static_cast<T*>(out.data), factor_of(all)).run({0, out.length}, [&](auto add) {
        for (size_t rank = 0; rank < all.size(); ++rank) add(static_cast<T*>(all.in(rank, i).data) + start);
      });
    });
  }
}

void copy(void* to, const void* from, size_t bytes) {
  if (bytes > 0 && to != from) memcpy(to, from, bytes);
}

void gather_into(const Gathering& all, const Brought& to, size_t first, size_t last) {
  for (size_t i = 0; i < to.arrays; ++i) {
    char* next = static_cast<char*>(to.out[i].data);
    for (size_t rank = 0; rank < all.size(); ++rank) {
      const Span& in = all.in(rank, i);
      const size_t bytes = bytes_of(in);
      if (rank >= first && rank <= last) copy(next, in.data, bytes);
      if (bytes > 0) next += bytes;
    }
  }
}

// Each makes its part, then puts it where the others want it: they wait until all have done so.
void gather_made(const Gathering& all) {
  const Brought& own = all.own();
  own.make->run(own.make->context);
  for (size_t i = 0; i < own.arrays; ++i) {
    size_t before = 0;
    for (size_t rank = 0; rank < all.rank(); ++rank) before += bytes_of(all.in(rank, i));
    const Span& in = own.in[i];
    for (size_t rank = 0; rank < all.size() && bytes_of(in) > 0; ++rank) {
      copy(static_cast<char*>(all.of(rank).out[i].data) + before, in.data, bytes_of(in));
    }
  }
}

void broadcast(const Gathering& all) {
  for (size_t i = 0; i < all.own().arrays; ++i) {
    const Span& from = all.in(all.own().root, i);
    copy(all.own().in[i].data, from.data, bytes_of(from));
  }
}

void perform(const Gathering& all) {
  const Brought& own = all.own();
  switch (own.what) {
    case Collective::kBarrier: return;
    case Collective::kAllReduce: return all_reduce(all);
    case Collective::kReduce: return reduce(all);
    case Collective::kReduceScatter: return reduce_scatter(all);
    case Collective::kAllGather: return gather_into(all, own, 0, all.size() - 1);
    case Collective::kGather: return gather_into(all, all.of(own.root), all.rank(), all.rank());
    case Collective::kBroadcast: return broadcast(all);
    case Collective::kGatherMade: return gather_made(all);
  }
}

}  // namespace

namespace {

bool reads_only(Collective what) {
  return what == Collective::kBarrier || what == Collective::kAllGather || what == Collective::kBroadcast;
}

// Copies what a rank brings into its note, with the values of its arrays, where others only read them. False when it is
// too large.
bool write_note(void* note, const Brought& own) {
  if (!reads_only(own.what)) return false;
  size_t bytes = sizeof(Brought) + (own.terms * own.arrays + own.outs) * sizeof(Span);
  const size_t spans = own.terms * own.arrays;
  for (size_t i = 0; i < spans; ++i) bytes += (bytes_of(own.in[i]) + 7) / 8 * 8;
  if (bytes > Meeting::kNoteBytes) return false;
  Brought& copied = *static_cast<Brought*>(note);
  Span* const in = reinterpret_cast<Span*>(&copied + 1);
  copied = own;
  copied.in = in;
  copied.out = in + spans;
  char* values = reinterpret_cast<char*>(in + spans + own.outs);
  for (size_t i = 0; i < spans; ++i) {
    in[i] = own.in[i];
    in[i].data = values;
    if (bytes_of(own.in[i]) > 0) memcpy(values, own.in[i].data, bytes_of(own.in[i]));
    values += (bytes_of(own.in[i]) + 7) / 8 * 8;
  }
  for (size_t i = 0; i < own.outs; ++i) in[spans + i] = own.out[i];
  return true;
}

bool are_noted(const Meeting& meeting) {
  for (size_t rank = 0; rank < meeting.size(); ++rank) {
    if (!meeting.is_noted(rank)) return false;
  }
  return true;
}

}  // namespace

std::string fault_among(const Brought* const* all, size_t size) { return fault_of(Gathering(all, size)); }

bool has_results(Collective what, size_t rank, size_t root) {
  switch (what) {
    case Collective::kReduceScatter:
    case Collective::kAllGather:
    case Collective::kGatherMade: return true;
    case Collective::kReduce:
    case Collective::kGather: return rank == root;
    case Collective::kBarrier:
    case Collective::kAllReduce:
    case Collective::kBroadcast: return false;
  }
  return false;
}

size_t bytes_of(Kind kind) { return kElementBytes[static_cast<size_t>(kind)]; }

Meeting::Outcome meet(Meeting& meeting, size_t rank, const Brought& own, const Patience& patience, std::string& fault) {
  void* const note = meeting.note(rank);
  const void* const brought = write_note(note, own) ? note : static_cast<const void*>(&own);
  const Meeting::Outcome outcome = meeting.arrive(rank, brought, patience);
  if (outcome != Meeting::Outcome::kMet) return outcome;
  const Gathering all(meeting, rank, own);
  fault = fault_of(all);
  if (fault.empty()) perform(all);
  if (!are_noted(meeting)) meeting.leave();
  return outcome;
}

}  // namespace gradstep
