#pragma once
// Histograms over TensorFlow's default limits: -DBL_MAX, then the numbers -1e-12 * 1.1^i from the largest to the
// smallest, 0, the positive ones, DBL_MAX. Bucket b has the values from limit b - 1 on and below limit b.
//
// A value's bucket is looked up, not searched for. The exponent of a magnitude and four more of its bits name a cell. A
// cell is at most 1/16 wider at its end than at its start, limits are 1/10 apart: there is at most one of them in a
// cell, and one comparison decides. All of it is done with the bits, so that counts are the same everywhere.
#include <stddef.h>
#include <stdint.h>

namespace gradstep {

constexpr size_t kPositiveLimits = 774;                                 // but for DBL_MAX
constexpr size_t kHistogramLimits = 2 * kPositiveLimits + 3;            // as many as there are buckets
constexpr size_t kHistogramCells = 1701;                                // of one sign
constexpr size_t kHistogramTables = 4;                                  // one after the other
constexpr size_t kHistogramCounts = (kHistogramLimits + 15) / 16 * 16;  // of a table

// What is looked up for the values of a type. `shift` leaves the sign, the exponent and four bits.
template <class T> struct HistogramCells;
#define GRADSTEP_CELLS(type, bits, places)                                                               \
  template <> struct HistogramCells<type> {                                                              \
    using Bits = bits;                                                                                   \
    static constexpr Bits kSign = Bits(1) << (8 * sizeof(type) - 1);                                     \
    static constexpr int kShift = places;                                                                \
    struct Cell {                                                                                        \
      Bits threshold;     /* the bits of the smallest magnitude past the limit; none has more than ~0 */ \
      uint16_t bucket[2]; /* below it and from it on */                                                  \
    };                                                                                                   \
    Bits first; /* the cell of 1e-12, as a magnitude's bits name it; smaller ones are in it too */       \
    Cell cells[2 * kHistogramCells]; /* those of negative values follow the others */                    \
  };
GRADSTEP_CELLS(float, uint32_t, 19)
GRADSTEP_CELLS(double, uint64_t, 48)
#undef GRADSTEP_CELLS

// Of the finite values of a block: the least and the greatest (infinities where there is none), sums in double.
struct HistogramSums {
  double min, max, sum, sum_squares;
  size_t count;
};

}  // namespace gradstep
