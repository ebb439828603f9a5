#include "program.h"

#include <math.h>

#include <algorithm>

#include "../runtime/shared_memory.h"

namespace gradstep {

const char* const Program::kNoMemory = "out of memory";

size_t Program::given_length(size_t i) const {
  const ProgramPlace& of = place(i);
  return (of.bytes + (repeats_ - 1) * of.stride) / place_element_bytes(of.kind);
}

const int32_t* Program::put_list(size_t i, const int32_t* indices) {
  int32_t* const copy = indices_.data() + lists_[i].first;
  copy_shared(copy, indices, given_list_length(i));
  return copy;
}

bool Program::step_fits() const {
  if (step_.variables.size() != tail_.gradients.size()) return false;
  for (size_t i = 0; i < step_.variables.size(); ++i) {
    const ProgramGradient& gradient = tail_.gradients[i];
    const VariableUpdate& variable = step_.variables[i];
    const bool is_part = !shards_.empty();
    if (gradient.format != variable.formats.gradient) return false;
    const size_t whole = gradient.is_dense() ? gradient.count : gradient.rows * gradient.row_elements;
    if (variable.length != (is_part ? shards_.length(i) : whole)) return false;
    if (gradient.is_dense() || (is_part && variable.length == 0)) continue;
    // The limit of its list is `rows`.
    if ((is_part ? shards_.row(i) : gradient.row_elements) != step_.row_elements[i]) return false;
    if (!Update::can_sum(variable, step_.rule)) return false;
  }
  return true;
}

void Program::start_repetition(size_t repetition) {
  for (size_t i = 0; i < places_.size(); ++i) now_[i] = starts_[i] + repetition * places_[i].stride;
  for (size_t i = 0; i < lists_.size(); ++i) {
    const IndexList& list = lists_[i];
    int32_t* const first = indices_.data() + list.first;
    lists_now_[i] = first + (list.parts == 0 ? repetition * list.stride : 0);
    int32_t* next = first;
    for (size_t k = list.part; k < list.part + list.parts; ++k) {
      const size_t part = index_parts_[k];
      next = std::copy(lists_now_[part], lists_now_[part] + lists_[part].length, next);
    }
  }
}

TaskContext Program::context(size_t repetition) const {
  return {now_.data(), lists_now_.data(), &task_lists_, draws_.data() + repetition * draws_each_};
}

TaskStatus Program::run_segments(size_t from, size_t to, size_t repetition) {
  const TaskContext context = this->context(repetition);
  for (size_t i = from; i < to; ++i) {
    const Segment& segment = segments_[i];
    const Task* const tasks = tasks_.data() + segment.first;
    if (segment.count > 1) {
      run_chain(tasks, segment.count, context);
      continue;
    }
    const TaskStatus status = run_task(*tasks, context);
    if (status != TaskStatus::done) return status;
  }
  return TaskStatus::done;
}

// The loss, or where it has several elements their sum, in double.
double Program::loss_of_repetition() const {
  const char* const values = now_[loss_.values.place] + loss_.values.offset;
  const auto element = [&](size_t i) {
    return loss_.format == Format::float32 ? static_cast<double>(reinterpret_cast<const float*>(values)[i])
                                           : reinterpret_cast<const double*>(values)[i];
  };
  if (loss_.count == 1) return element(0);
  double sum = 0;
  for (size_t i = 0; i < loss_.count; ++i) sum += element(i);
  return sum;
}

// Takes all memory; nothing can fail after that.
bool Program::prepare_update(const TaskContext& context) {
  if (!update_.start(step_.rule, step_.all_rows, step_.hyper.data(), step_.groups)) return false;
  const bool is_part = !shards_.empty();
  if (is_part) shards_.locate(context);
  for (size_t i = 0; i < step_.variables.size(); ++i) {
    VariableUpdate& variable = step_.variables[i];
    if (is_part && variable.length == 0) continue;
    const GradientNow gradient = is_part ? shards_.own(i, tail_.now(i), tail_.gradients[i]) : tail_.now(i);
    variable.gradient = gradient.values;
    variable.factor = gradient.factor;
    const bool added = gradient.rows == nullptr
                           ? update_.add(variable)
                           : update_.add(variable, step_.row_elements[i], gradient.rows, gradient.row_count) != nullptr;
    if (!added) return false;
  }
  return update_.prepare();
}

// The step of this rank's elements, which all ranks make, and then have all; or none does.
TaskStatus Program::step_part() {
  const auto make = [](void* program) {
    Program& of = *static_cast<Program*>(program);
    of.update_.run();
    of.shards_.pack();
  };
  const TaskStatus status = exchange_.share({make, this}, shards_.pieces());
  if (status == TaskStatus::done) shards_.unpack();
  return status;
}

// What becomes of a gradient once it has been computed in a repetition.
void Program::take_gradient(size_t i, size_t repetition) {
  const TaskContext context = this->context(repetition);
  const bool is_before = exchange_.ranks == 0 || exchange_.unscales_first;
  tail_.take(i, context, is_before ? unscale_ : 1);
  if (!tail_.accumulates) return;
  tail_.accumulate(i, context, repetition == 0);
  if (repetition == repeats_ - 1) tail_.finish(i, context, repeats_);
}

// The last repetition: what has become final is sent at once. A rank that has failed sends too, as others wait for it.
TaskStatus Program::run_sending(size_t repetition, TaskStatus status) {
  size_t from = 0;
  for (const GradientSend& send : exchange_.sends) {
    if (status == TaskStatus::done) status = run_segments(from, send.ready, repetition);
    from = send.ready;
    const bool is_lost = status != TaskStatus::done;
    for (size_t k = send.first; k < send.first + send.members && !is_lost; ++k) {
      take_gradient(exchange_.sent[k].gradient, repetition);
    }
    if (!exchange_.send(send, tail_, context(repetition), is_lost)) return TaskStatus::not_exchanged;
  }
  return status == TaskStatus::done ? run_segments(from, segments_before_, repetition) : status;
}

// The pass forward, that back and the gradients, of all repetitions.
TaskStatus Program::way_back(double& loss) {
  double losses = 0;
  TaskStatus status = TaskStatus::done;
  for (size_t repetition = 0; repetition < repeats_; ++repetition) {
    const bool sends = exchange_.ranks > 0 && repetition == repeats_ - 1;
    if (status != TaskStatus::done && !sends) continue;
    start_repetition(repetition);
    status = sends ? run_sending(repetition, status) : run_segments(0, segments_before_, repetition);
    if (status != TaskStatus::done) continue;
    const double own = loss_of_repetition();
    losses = tail_.accumulates ? losses + own : own;
    for (size_t i = 0; i < tail_.gradients.size() && !sends; ++i) take_gradient(i, repetition);
  }
  if (tail_.accumulates) start_repetition(0);
  loss = tail_.accumulates ? losses * (1 / static_cast<double>(repeats_)) : losses;
  return status;
}

void Program::miss(const char* why, Exchange& exchange) {
  if (exchange_.ranks == 0) return;
  now_[0] = starts_[0];  // what is sent lies in the arena
  exchange_.begin(exchange);
  exchange_.be_absent(why);
  for (const GradientSend& send : exchange_.sends) {
    if (!exchange_.send(send, tail_, context(0), true)) return;
  }
  double loss = NAN;
  exchange_.end(TaskStatus::absent, loss, tail_, context(0));
}

TaskStatus Program::run(Result& result, Exchange* exchange) {
  has_run = true;
  const TaskContext context = this->context(0);
  result = {NAN, NAN, false};
  if (exchange_.ranks > 0) exchange_.begin(*exchange);
  double loss = NAN;
  TaskStatus status = way_back(loss);
  if (exchange_.ranks > 0 && status != TaskStatus::not_exchanged) status = exchange_.end(status, loss, tail_, context);
  if (status != TaskStatus::done) return status;
  result.loss = loss;
  for (size_t i = 0; i < tail_.gradients.size() && exchange_.ranks > 0; ++i) {
    if (!exchange_.unscales_first && unscale_ != 1) tail_.times(i, unscale_);
  }
  bool is_finite = true, found_memory = tail_.clip_all(context, result.norm);
  if (tail_.checks_finite) found_memory = found_memory && tail_.all_finite(is_finite);
  const bool steps = tail_.has_step && is_finite;
  found_memory = found_memory && (!steps || prepare_update(context));
  if (!found_memory) status = TaskStatus::no_memory;
  if (!shards_.empty()) status = exchange_.agree(status);
  if (status == TaskStatus::done && steps) {
    if (!shards_.empty()) status = step_part();
    else update_.run();
  }
  update_.clear();
  if (status != TaskStatus::done || !is_finite) return status;
  result.applied = true;
  return run_segments(segments_before_, segments_.size(), 0);
}

}  // namespace gradstep
