// A step that is divided among the ranks of a program: each steps its elements of every variable, then all get all.
#pragma once
#include "../runtime/exchange.h"
#include "program_gradients.h"

namespace gradstep {

// A variable that is divided.
struct ProgramShard {
  Operand whole;  // where all of it is
  size_t width;   // bytes of an element
  size_t bounds;  // in the shards' bounds: where each rank's elements start, and where the last one's end
  size_t row;     // elements of the rows that the whole and this rank's part both consist of
  size_t values;  // of a sparse gradient: where its own rows go, and which they are
  size_t indices;
};

class ProgramShards {
 public:
  size_t rank = 0;
  Buffer<ProgramShard> list;  // one for each gradient; none where the step is not divided
  Buffer<size_t> bounds;      // of each, one more than there are ranks

  bool empty() const { return list.empty(); }
  // Takes all memory. `most_rows` tells of each gradient how many rows it can have. False when there is none.
  [[nodiscard]] bool reserve(const GradientTail& tail, size_t ranks, const Buffer<size_t>& most_rows);

  size_t begin(size_t i) const { return bounds[list[i].bounds + rank]; }
  size_t length(size_t i) const { return bounds[list[i].bounds + rank + 1] - begin(i); }
  size_t row(size_t i) const { return list[i].row; }
  // What of a gradient is of this rank's elements: of a sparse one its rows, or pieces of them.
  GradientNow own(size_t i, const GradientNow& now, const ProgramGradient& gradient);

  // Before the step: where variables lie.
  void locate(const TaskContext& context);
  // What all ranks get of all. Those that are small go together.
  const Buffer<Piece>& pieces() const { return pieces_; }
  // After the step of this rank's elements, before they are gathered; and after that.
  void pack();
  void unpack();

 private:
  size_t whole_length(size_t i) const { return bounds[list[i].bounds + ranks_]; }
  bool is_small(size_t i) const;
  bool reserve_rows(const GradientTail& tail, const Buffer<size_t>& most_rows);
  template <class F> void each_small(size_t of, F f);

  size_t ranks_ = 1;
  Buffer<char*> starts_;  // of the variables
  Buffer<Piece> pieces_;
  Buffer<char> packed_, unpacked_, values_;
  Buffer<int32_t> indices_;
};

}  // namespace gradstep
