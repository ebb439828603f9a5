#pragma once
// Matrix multiplication, row-major:
//
//     c[m, n] = activation(op(a)[m, k] * op(b)[k, n]  (+ c when accumulate)  (+ bias[n] on every row))
//
// Every element of c is one chain of fused multiply-adds over k in increasing order, starting from +0 (from c when
// accumulate); then + bias; then the activation. That fixes every bit of the result: instruction set, tile size,
// blocking, packing and thread count choose only which element is computed where and when. Nothing is skipped: 0 * NaN
// is NaN.
//
// A convolution is such a product, with a matrix of patches (patches.h) for a or b: the kernel writes out the part that
// a block of c needs, never the whole.
#include <stddef.h>

#include "patches.h"

namespace gradstep {

enum class Activation : unsigned char { none, relu };  // relu: x <= 0 ? 0 : x, so a NaN stays a NaN and -0 becomes +0

template <class T> struct Gemm {
  size_t m, n, k;
  const T* a;  // [m, k], or [k, m] when transpose_a; lda elements from row to row
  size_t lda;
  bool transpose_a;
  const T* b;  // [k, n], or [n, k] when transpose_b
  size_t ldb;
  bool transpose_b;
  T* c;  // [m, n], overlapping neither a, b nor bias
  size_t ldc;
  bool accumulate;
  const T* bias;  // [n] or null
  Activation activation;
  void* scratch;  // kGemmScratchBytes, aligned to 64, for packed panels; contents mean nothing between calls
  // Where they have images they are what a and b are, before these are transposed.
  Patches<T> a_patches = {}, b_patches = {};
  Placement placement = {};  // of the rows of c, if they are not simply ldc apart
};

// The same for a few rows, of operands that need no packing: element (i, p) of segment s of turn t of k is
//
//     a[i * a_step + p + s * a_segment + t * a_turn] or, when transpose_a, p * a_step + i in the place of i * a_step +
//     p
//
// and row p of b is at b + p * b_step + s * b_segment + t * b_turn. Chains go through the turns and their segments in
// order. Whole vectors of b are read: behind its columns there must be memory up to a multiple of kGemmColumnStep.
template <class T> struct GemmLine {
  size_t m, n, turns, segments, k;
  const T* a;
  size_t a_step, a_segment, a_turn;
  bool transpose_a;
  const T* b;
  size_t b_step, b_segment, b_turn;
  T* c;
  size_t ldc;
  bool accumulate;
  const T* bias;  // [n], or [m] when bias_per_row, or null
  bool bias_per_row;
  Activation activation;
};

// The same for every problem, so that a thread allocates it once. Pages that a small problem does not use cost nothing.
constexpr size_t kGemmScratchBytes = 11u << 19;  // 4 MiB of b and 512 KiB of a, at most (gemm/tile.h), and of patches

// Threads share c in blocks that start at multiples of these. They need not be those of a tile: fewer rows or one
// vector of columns are nearly as fast for each element, and blocks of the same size are worth more.
constexpr size_t kGemmRowStep = 4;
constexpr size_t kGemmColumnStep = 16;

}  // namespace gradstep
