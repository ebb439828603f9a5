#include "update.h"

namespace gradstep {

bool Update::start(size_t rule, bool all_rows, const double* hyper, size_t groups) {
  clear();
  const Rule& description = scalar::kTable.rules[rule];
  rule_ = rule;
  hyper_count_ = description.hyper_count;
  slot_count_ = description.slot_count;
  sparse_rules_ = {all_rows, description.measured};
  if (!hyper_.resize(groups * hyper_count_)) return false;
  for (size_t i = 0; i < hyper_.size(); ++i) hyper_[i] = hyper[i];
  return true;
}

const int32_t* Update::add(const VariableUpdate& variable, size_t row_elements, const int32_t* indices, size_t rows) {
  const double* const hyper = hyper_of(variable);
  return variable.is_float64
             ? float64_.sparse.add(range_of<double>(variable, slot_count_), hyper, row_elements, indices, rows)
             : float32_.sparse.add(range_of<float>(variable, slot_count_), hyper, row_elements, indices, rows);
}

template <class T> bool Update::Part<T>::prepare(size_t rule, SparseRules rules) {
  if (!sparse.empty()) {
    if (!sparse.reserve(rules, ranges)) return false;
    sparse.expand(rules, ranges);
  }
  return ranges.empty() || ranges.prepare(rule);
}

template <class T> void Update::Part<T>::clear() {
  ranges.clear();
  sparse.clear();
}

bool Update::prepare() { return float32_.prepare(rule_, sparse_rules_) && float64_.prepare(rule_, sparse_rules_); }

void Update::run() {
  if (!float32_.ranges.empty()) float32_.ranges.run(rule_);
  if (!float64_.ranges.empty()) float64_.ranges.run(rule_);
}

void Update::clear() {
  hyper_.clear();
  float32_.clear();
  float64_.clear();
}

}  // namespace gradstep
