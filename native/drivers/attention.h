// Attention and rotation of heads. Memory beside the arrays grows with the lengths, not with their product.
#pragma once
#include "../kernels/table.h"

namespace gradstep {

// From one index to the next, in elements: element d of row t of head h of batch b is at b batch + h head + t row + d.
struct HeadStrides { size_t batch, head, row; };

// What each score gets added, or which of them count: element (query, key) is at query row + key column.
struct AttentionMask {
  const void* values;  // null, or numbers, or bytes of which those that are not 0 let a key be seen
  bool is_bool;
  HeadStrides strides;
  size_t column;
};

// y = softmax(scale q k^T + mask) v of each head. Several heads of q may share one of k and v: heads is a multiple of
// shared_heads. Query i sees key j where j <= i + offset, when causal. A query that sees no key gets 0.
struct AttentionShape {
  size_t batch, heads, shared_heads, queries, keys, depth, value_depth;
  HeadStrides q, k, v, y;
  double scale;
  bool is_causal;
  ptrdiff_t offset;
  AttentionMask mask;
  double dropout;  // the rate: 0 for none
  Draw draw;       // its words: for each head and query one for each key, rounded up to kKeyWords
};

constexpr size_t kKeyWords = 4;

// Each is false, with nothing changed, when there is no memory. `saved` is [2, batch, heads, queries]: what the way
// back needs of each row.
template <class T>
[[nodiscard]] bool attention(const AttentionShape& shape, T* y, T* saved, const T* q, const T* k, const T* v);
// dq, dk and dv lie as q, k and v do.
template <class T>
[[nodiscard]] bool attention_gradient(const AttentionShape& shape, T* dq, T* dk, T* dv, const T* dy, const T* y,
                                      const T* saved, const T* q, const T* k, const T* v);

// x [outer, tokens, inner, depth]: of each row's first `rotated` elements, pairs turned by the angle of their token,
// whose cosines and sines are [tokens, rotated / 2]. A pair is of neighbours, or else half of `rotated` apart.
struct Rotation {
  size_t outer, tokens, inner, depth, rotated;
  bool are_neighbours, is_backward;
};
template <class T> void rotate(const Rotation& r, T* out, const T* x, const T* cosines, const T* sines);

}  // namespace gradstep
