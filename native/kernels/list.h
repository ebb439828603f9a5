// Every kernel that is neither an update rule nor an element-wise function (those have lists of their own), once. The
// table, its declarations, the drivers of the row functions and their names in JavaScript come from these lists.
#pragma once

// X(result, name, arguments...), T being the element type. Sums are accumulated in double.
#define GRADSTEP_REDUCTIONS(X, T)                                                                                  \
  X(double, sum, const T* x, size_t n)                                                                             \
  X(double, sum_of_squares, const T* x, size_t n)                                                                  \
  X(bool, all_finite, const T* x, size_t n)                                                                        \
  /* of the finite values among x * factor; adds to `counts`, kHistogramTables times kHistogramCounts */           \
  X(void, histogram, const T* x, size_t n, double factor, const HistogramCells<T>& cells, HistogramSums* sums,     \
    uint32_t* counts)                                                                                              \
  /* x is [rows, columns], out is [rows] or [columns]; each sum is multiplied by `scale` and then rounded, once */ \
  X(void, sum_rows, T* out, const T* x, size_t rows, size_t columns, double scale)                                 \
  X(void, sum_columns, T* out, const T* x, size_t rows, size_t columns, double scale)                              \
  X(void, extreme_rows, T* out, const T* x, size_t rows, size_t columns, bool least)                               \
  X(void, extreme_columns, T* out, const T* x, size_t rows, size_t columns, bool least)

#define GRADSTEP_UPDATES(X, T)                                                   \
  X(void, scale, T* out, const T* x, double factor, size_t n) /* out may be x */ \
  X(void, clip_by_value, T* out, const T* x, T low, T high, size_t n)            \
  /* out += x * factor */                                                        \
  X(void, add_scaled, T* out, const T* x, double factor, size_t n)               \
  /* out -= (out - x) * rate */                                                  \
  X(void, move_toward, T* out, const T* x, double rate, size_t n)

// X(name, name in JavaScript): (T* out, const T* x, size_t rows, size_t columns)
#define GRADSTEP_ROW(X) \
  X(softmax, "softmax") \
  X(log_softmax, "logSoftmax")

// X(name, name in JavaScript): (T* dx, const T* dy, const T* y, size_t rows, size_t columns)
#define GRADSTEP_ROW_GRADIENT(X)         \
  X(softmax_gradient, "softmaxGradient") \
  X(log_softmax_gradient, "logSoftmaxGradient")

// A draw's numbers in their order; see random/draw.h. A word below `threshold` says yes, or that an element is dropped.
#define GRADSTEP_RANDOM(X, T)                                                                            \
  /* low + u range for u in [0, 1), at most `last` */                                                    \
  X(void, random_uniform, T* out, const Draw& draw, T low, T range, T last, size_t n)                    \
  /* truncated: less than two standard deviations from the mean */                                       \
  X(void, random_normal, T* out, const Draw& draw, double mean, double stddev, bool truncated, size_t n) \
  X(void, random_bernoulli, T* out, const Draw& draw, uint32_t threshold, size_t n) /* 1 or 0 */         \
  /* out = x scale, or 0 where dropped */                                                                \
  X(void, dropout, T* out, const T* x, const Draw& draw, uint32_t threshold, double scale, size_t n)

// Matrices are [rows, columns].
#define GRADSTEP_MATRIX(X, T)                                                                                         \
  /* loss is [rows]; backprop is d loss / d logits */                                                                 \
  X(void, softmax_cross_entropy, T* loss, T* backprop, const T* labels, const T* logits, size_t rows, size_t columns) \
  X(void, sparse_softmax_cross_entropy, T* loss, T* backprop, const int32_t* labels, const T* logits, size_t rows,    \
    size_t columns)                                                                                                   \
  X(void, scale_rows, T* out, const T* x, const T* factors, size_t rows, size_t columns) /* [rows] factors */         \
  X(void, gemm, const Gemm<T>& g)                                                                                     \
  X(void, gemm_line, const GemmLine<T>& g)                                                                            \
  X(double, ctc, const Ctc<T>& s) /* -log of a sequence's probability; writes its gradient */

// Rows of windows are numbered through all images; see window_args.h.
#define GRADSTEP_WINDOWS(X, T)                                                         \
  X(void, max_pool, const Pool<T>& p, size_t begin, size_t count)                      \
  X(void, avg_pool, const Pool<T>& p, size_t begin, size_t count)                      \
  /* of channels [begin, end) of an image */                                           \
  X(void, max_pool_gradient, const Pool<T>& p, size_t image, size_t begin, size_t end) \
  X(void, avg_pool_gradient, const Pool<T>& p, size_t image, size_t begin, size_t end) \
  X(void, depthwise, const Depthwise<T>& d, size_t begin, size_t count)                \
  X(void, depthwise_filter_gradient, const Depthwise<T>& d, size_t begin, size_t count)

#define GRADSTEP_NORMALIZATION(X, T)                                                                             \
  X(void, normalize_rows, const NormalizedRows<T>& a, size_t rows)                                               \
  /* adds to what it is given of gamma and beta */                                                               \
  X(void, normalize_rows_gradient, const NormalizedRowsGradient<T>& a, size_t rows)                              \
  /* down each column: v and v (x - shift), v being dy, or x - shift where that is null */                       \
  X(void, column_products, double* sums, double* products, const T* x, const T* shift, const T* dy, size_t rows, \
    size_t columns)                                                                                              \
  X(void, map_columns, const ColumnMap<T>& m, size_t rows, size_t columns)

#define GRADSTEP_ATTENTION(X, T)                                                                                \
  X(void, attention_weights, const AttentionBlock<T>& b, const AttentionState<T>& s)                            \
  X(void, attention_finish, const AttentionState<T>& s, T* inverse, size_t rows)                                \
  X(void, attention_gradient, const AttentionBlock<T>& b, const AttentionRowsGradient<T>& g)                    \
  X(void, row_dots, T* dots, const T* a, size_t a_step, const T* b, size_t b_step, size_t rows, size_t columns) \
  /* to[columns, rows] = from[rows, columns] transposed */                                                      \
  X(void, transpose, T* to, size_t to_step, const T* from, size_t from_step, size_t rows, size_t columns)

// Cells of a recurrent layer at one time.
#define GRADSTEP_RECURRENT(X, T)                            \
  X(void, lstm_rows, const LstmRows<T>& a)                  \
  X(void, lstm_rows_gradient, const LstmRowsGradient<T>& a) \
  X(void, gru_reset, const GruRows<T>& a)                   \
  X(void, gru_rows, const GruRows<T>& a)                    \
  X(void, gru_rows_gradient, const GruRowsGradient<T>& a)   \
  X(void, gru_reset_gradient, const GruRowsGradient<T>& a)
