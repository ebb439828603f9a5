// Random numbers, and dropout: functions of a draw, a length and what else they take, however the work is cut.
#pragma once
#include "../kernels/table.h"

namespace gradstep {

// How many words of a draw a number of this type is made of; bernoulli and dropout take one for any.
template <class T> constexpr size_t kWordsPerNumber = sizeof(T) / sizeof(uint32_t);

template <class T> void random_uniform(T* out, const Draw& draw, T low, T high, size_t n);  // in [low, high)
template <class T> void random_normal(T* out, const Draw& draw, double mean, double stddev, bool truncated, size_t n);
// 1 with this probability, else 0. Probabilities count in units of 2^-32.
template <class T> void random_bernoulli(T* out, const Draw& draw, double probability, size_t n);
// out = x / (1 - rate), or 0 with probability rate, which is in [0, 1). out may be x.
template <class T> void dropout(T* out, const T* x, const Draw& draw, double rate, size_t n);

// Of the kernel: an element is dropped whose word is below it.
uint32_t dropout_threshold(double rate);

}  // namespace gradstep
