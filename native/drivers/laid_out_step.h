// A step of the same variables again and again: laid out once, in memory of the caller's, where before each run only
// the hyperparameters and each gradient's factor and place are written. Nothing is allocated, copied or checked anew.
#pragma once
#include "update.h"

namespace gradstep {

// The memory, 8-byte aligned: this header, then
//   double hyper[groups][hyper_count]     the caller's to write
//   double inputs[count][2]               the caller's to write: factor and address of each variable's dense gradient
//   ... what lay_out has made of the variables
struct LaidOutStep {
  static constexpr size_t kHeaderNumbers = 8;

  uint64_t mark;                                                // kMark once it has been laid out
  const LaidOutStep* self;                                      // the addresses inside hold only here
  size_t rule, groups, count, counts[kArithmeticCount], bytes;  // `counts`: ranges of each arithmetic

  // How much memory it takes.
  static size_t bytes_for(size_t rule, size_t groups, size_t count);

  // False when there are not so many bytes, or no loop over the columns of a variable (stored_of).
  [[nodiscard]] static bool lay_out(void* memory, size_t bytes, size_t rule, size_t groups,
                                    const VariableUpdate* variables, size_t count);

  // What lies there, or nullptr where nothing has been laid out.
  static LaidOutStep* at(void* memory, size_t bytes);

  // False, with nothing changed, when there is no memory: a measured rule needs some of its own.
  [[nodiscard]] bool run();
};

}  // namespace gradstep
