#pragma once
// Connectionist temporal classification: the probability of a sequence of labels, whatever time each takes and however
// many blanks lie between them (Graves et al. 2006).
#include <stddef.h>
#include <stdint.h>

namespace gradstep {

// One sequence. Its logits at time t begin at logits + t * stride, and so does their gradient.
template <class T> struct Ctc {
  const T* logits;
  T* gradient;  // of the loss
  size_t times, stride, classes;
  const int32_t* labels;  // each below classes - 1, which is the blank
  size_t label_count;
  bool merges_repeated;  // whether a label that comes twice in a row without a blank between them is one
  double* scratch;       // ctc_scratch() elements
};

// Positions are the labels with blanks around them. A row of them has room for a vector before it and one behind it.
constexpr size_t kCtcLanes = 8;
inline size_t ctc_row(size_t label_count) {
  return (2 * label_count + 1 + kCtcLanes - 1) / kCtcLanes * kCtcLanes + 2 * kCtcLanes;
}
// A row for each time and six more; the logarithms of what the times' exponentials add up to; a number for each class.
inline size_t ctc_scratch(size_t times, size_t classes, size_t label_count) {
  return (times + 6) * ctc_row(label_count) + times + classes;
}

}  // namespace gradstep
