// Objects that are watched without being kept alive. Finalizers and FinalizationRegistry run when the event loop turns,
// and `new WeakRef` keeps its target until then; a program that makes and drops models in a loop never gets there. A
// weak reference of Node-API is empty as soon as the collector has run.
#pragma once
#include <napi.h>
#include <stdint.h>

#include "../runtime/buffer.h"

namespace gradstep {

// The watched objects of one environment. An entry's place is used again under another generation.
class Watch {
 public:
  explicit Watch(Napi::Env env) : env_(env) {}
  ~Watch() {
    for (const Entry& entry : entries_) {
      if (entry.reference != nullptr) napi_delete_reference(env_, entry.reference);
    }
  }

  // False when there is no memory.
  bool add(napi_value object, size_t bytes, double& id) {
    if (new_bytes_ > kSweepBytes || (places_ == 0 && entries_.size() >= sweep_size_)) sweep();
    new_bytes_ += bytes;
    if (first_free_ == kNone) {
      if (!entries_.add({nullptr, 0, 0, kNone})) return false;
      first_free_ = static_cast<uint32_t>(entries_.size() - 1);
      ++places_;
    }
    const uint32_t index = first_free_;
    Entry& entry = entries_[index];
    if (napi_create_reference(env_, object, 0, &entry.reference) != napi_ok) return false;
    first_free_ = entry.next_free;
    --places_;
    entry.bytes = bytes;
    adjust(static_cast<int64_t>(bytes));
    id = index + entry.generation * kGenerationStep;
    return true;
  }

  // The object, or nullptr when it is gone.
  napi_value find(double id) {
    if (!(id >= 0 && id < kGenerations * kGenerationStep)) return nullptr;
    const uint64_t bits = static_cast<uint64_t>(id), index = bits & 0xFFFFFFFF;
    if (index >= entries_.size() || entries_[index].generation != bits >> 32) return nullptr;
    return object_of(entries_[index]);
  }

 private:
  struct Entry {
    napi_ref reference;  // nullptr: the place is free
    size_t bytes;
    uint32_t generation, next_free;
  };

  static constexpr uint32_t kNone = UINT32_MAX, kGenerations = 1u << 21;  // an id is a safe integer
  static constexpr double kGenerationStep = 4294967296.0;
  static constexpr size_t kSweepBytes = size_t(16) << 20, kLeastSweepSize = 64;

  napi_value object_of(const Entry& entry) {
    napi_value object = nullptr;
    if (entry.reference == nullptr || napi_get_reference_value(env_, entry.reference, &object) != napi_ok)
      return nullptr;
    return object;
  }

  void adjust(int64_t bytes) {
    int64_t all;
    napi_adjust_external_memory(env_, bytes, &all);
  }

  // Frees the places of objects that are gone. Often enough that no more is held than twice what lives, and 16 MiB;
  // seldom enough that it costs each add() a few places only.
  void sweep() {
    size_t gone = 0;
    for (uint32_t i = 0; i < entries_.size(); ++i) {
      const Napi::HandleScope scope(env_);  // of its own: a handle would keep each object until we return
      Entry& entry = entries_[i];
      if (entry.reference == nullptr || object_of(entry) != nullptr) continue;
      napi_delete_reference(env_, entry.reference);
      gone += entry.bytes;
      entry = {nullptr, 0, (entry.generation + 1) % kGenerations, first_free_};
      first_free_ = i;
      ++places_;
    }
    adjust(-static_cast<int64_t>(gone));
    new_bytes_ = 0;
    const size_t living = entries_.size() - places_;
    sweep_size_ = 2 * (living < kLeastSweepSize ? kLeastSweepSize : living);
  }

  Napi::Env env_;
  Buffer<Entry> entries_;
  uint32_t first_free_ = kNone;
  size_t places_ = 0;  // that are free
  size_t new_bytes_ = 0, sweep_size_ = kLeastSweepSize;
};

}  // namespace gradstep
