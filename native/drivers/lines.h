// Reductions, scans and sorts along the middle of x [outer, n, inner].
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace gradstep {

struct Lines { size_t outer, n, inner; };

// Each is false, with nothing changed, when there is no memory; those without a result need none.

template <class T> [[nodiscard]] bool extreme(const Lines& lines, T* out, const T* x, bool least);
// Where the first of the extremes is; n is not 0.
template <class T> void extreme_at(const Lines& lines, int32_t* out, const T* x, bool least);
// Whether any is true, or all are.
void logical(const Lines& lines, uint8_t* out, const uint8_t* x, bool all);

template <class T> void product(const Lines& lines, T* out, const T* x);
template <class T> void product_gradient(const Lines& lines, T* dx, const T* x, const T* dy);

// Of each element the sum, or the product, of all up to it, itself among them or not; from the end on if `reverse`.
struct Scan { bool is_product, exclusive, reverse; };
template <class T> void scan(const Lines& lines, T* out, const T* x, Scan how);
template <class T> void scan_product_gradient(const Lines& lines, T* dx, const T* x, const T* dy, Scan how);

// The first k of each row of x [rows, columns] when it is sorted, and where they were. NaN is greater than all else; of
// equals the first comes first.
template <class T>
[[nodiscard]] bool sort(T* values, int32_t* places, const T* x, size_t rows, size_t columns, size_t k, bool ascending);

}  // namespace gradstep
