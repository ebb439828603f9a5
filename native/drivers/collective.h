// Sums and copies among threads, each of which works on its part. The order of a sum is that of the ranks, so that its
// bits are the same however many threads come to it in whatever order.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <string>

#include "../runtime/exchange.h"
#include "../runtime/meeting.h"

namespace gradstep {

enum class Collective : uint32_t {
  kBarrier,
  kAllReduce,
  kReduce,
  kReduceScatter,
  kAllGather,
  kGather,
  kBroadcast,
  kGatherMade
};

enum class Kind : uint8_t { kFloat32, kFloat64, kInt32, kInt64, kByte };

struct Span {
  void* data;  // nullptr with `is_absent`, or where there are no elements
  size_t length;
  Kind kind;
  bool is_absent;
};

// What a rank brings: `terms` lists of `arrays` arrays each, and where results go.
struct Brought {
  Collective what;
  size_t root;
  bool is_mean;
  size_t terms, arrays, outs;
  const Span* in;
  const Span* out;
  const WhenCertain* make = nullptr;  // of kGatherMade
};

//   all reduce       in[i] of every rank = the sum over ranks of in[i]
//   reduce           out[i] of the root = the sum over ranks, and over each one's terms in order, of in[term][i];
//                    a term that is absent counts for nothing, and where all are the result is left as it was
//   reduce scatter   out[i] = this rank's part of the sum over ranks of in[i]
//   all gather       out[i] of every rank = all ranks' in[i], one after the other
//   gather           the same of the root
//   broadcast        in[i] of every rank = that of the root
//   gather made      all gather of what each rank's `make` writes, which runs when all have met and what they bring
//   fits
// A mean is the sum times 1 / ranks, or in `reduce` times 1 / terms of all ranks.
//
// Returns what came of meeting the others. `fault` says what does not fit among what all have brought: then all are
// told the same, and nothing has been written.
Meeting::Outcome meet(Meeting& meeting, size_t rank, const Brought& own, const Patience& patience, std::string& fault);

// What does not fit among what all ranks have brought, of which `all` has one for each; empty when all fits. Every rank
// comes to the same answer. Looks at no array's memory, and at results only where a rank has some.
std::string fault_among(const Brought* const* all, size_t size);

// Whether a rank has results.
bool has_results(Collective what, size_t rank, size_t root);

// Of an element.
size_t bytes_of(Kind kind);

// What a sum is multiplied by, of so many terms.
inline double factor_of(bool is_mean, size_t terms) { return is_mean ? 1.0 / static_cast<double>(terms) : 1.0; }

// Where the part of a rank starts.
inline size_t part_start(size_t length, size_t rank, size_t size) {
  const size_t each = length / size, more = length % size;
  return rank * each + (rank < more ? rank : more);
}

}  // namespace gradstep
