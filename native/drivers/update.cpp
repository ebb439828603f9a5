#include "update.h"

namespace gradstep {

uint8_t stored_of(const Formats& formats, size_t slot_count) {
  for (size_t i = 0; i < kStoredCount; ++i) {
    const Formats& stored = kStored[i];
    bool same = stored.param == formats.param && stored.gradient == formats.gradient;
    for (size_t k = 0; k < slot_count; ++k) same = same && stored.slots[k] == formats.slots[k];
    if (same) return static_cast<uint8_t>(i);
  }
  return kStoredCount;
}

bool Update::start(size_t rule, bool all_rows, const double* hyper, size_t groups) {
  clear();
  rule_number_ = rule;
  rule_ = &scalar::kTable.rules[rule];
  sparse_rules_ = {all_rows, rule_->measured};
  if (!hyper_.resize(groups * rule_->hyper_count)) return false;
  for (size_t i = 0; i < hyper_.size(); ++i) hyper_[i] = hyper[i];
  return true;
}

bool Update::can_sum(const VariableUpdate& variable, size_t rule) {
  return variable.formats.gradient == format_of(arithmetic_of(scalar::kTable.rules[rule], variable.formats.param));
}

const int32_t* Update::add(const VariableUpdate& variable, size_t row_elements, const int32_t* indices, size_t rows) {
  const uint8_t stored = stored_of(variable.formats, rule_->slot_count);
  if (stored == kStoredCount || !can_sum(variable)) return nullptr;
  const Range range = range_of(variable, rule_->slot_count, stored);
  const double* const hyper = hyper_of(variable);
  switch (arithmetic_of(*rule_, variable.formats.param)) {
#define GRADSTEP_ADD(name, type) \
  case Arithmetic::name: return name##_.sparse.add(range, hyper, row_elements, indices, rows);
    GRADSTEP_ARITHMETICS(GRADSTEP_ADD)
#undef GRADSTEP_ADD
  }
  return nullptr;
}

template <class T> bool Update::Part<T>::prepare(size_t rule, SparseRules rules) {
  if (!sparse.empty()) {
    if (!sparse.reserve(rules, ranges)) return false;
    sparse.expand(rules, ranges);
  }
  return ranges.empty() || ranges.prepare(rule);
}

template <class T> void Update::Part<T>::run(size_t rule) {
  if (!ranges.empty()) ranges.run(rule);
}

template <class T> void Update::Part<T>::clear() {
  ranges.clear();
  sparse.clear();
}

#define GRADSTEP_PREPARE(name, type) &&name##_.prepare(rule_number_, sparse_rules_)
#define GRADSTEP_RUN(name, type) name##_.run(rule_number_);
#define GRADSTEP_CLEAR(name, type) name##_.clear();

bool Update::prepare() { return true GRADSTEP_ARITHMETICS(GRADSTEP_PREPARE); }

void Update::run() { GRADSTEP_ARITHMETICS(GRADSTEP_RUN) }

void Update::clear() {
  hyper_.clear();
  GRADSTEP_ARITHMETICS(GRADSTEP_CLEAR)
}

}  // namespace gradstep
