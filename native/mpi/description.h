// What ranks tell each other about a call before they move data: in a few bytes whether all bring the same, and where
// they do not, all of it.
#pragma once
#include "../drivers/collective.h"
#include "../runtime/buffer.h"
#include "transport.h"

namespace gradstep::mpi {

// Two calls with one hash fit together, if each is right by itself.
uint64_t hash_of(const Brought& brought);

// Whether what a rank brings to a call is right where all others bring the same.
bool is_right_by_itself(const Brought& own, size_t rank, size_t size);

// What all ranks have brought.
class Descriptions {
 public:
  // All bring what this one brings. False when there is no memory.
  [[nodiscard]] bool assume_same(const Brought& own, size_t size);
  // Asks all. False when the transport has failed, or there is no memory.
  [[nodiscard]] bool gather(const Brought& own, Transport& transport);

  const Brought* const* all() const { return all_.data(); }

 private:
  bool read(const uint64_t* words, size_t count, Brought& brought);

  Buffer<const Brought*> all_;
  Buffer<Brought> brought_;
  Buffer<Span> spans_;
  Buffer<uint64_t> words_, sizes_, received_;
};

}  // namespace gradstep::mpi
