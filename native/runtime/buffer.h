// A growable array that says so when there is no memory: std::vector would end the process, as we build without
// exceptions. It starts on a cache line, and as thread_local scratch it keeps its memory for the next call.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <type_traits>

#include "os/os.h"

namespace gradstep {

template <class T> class Buffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>, "elements are moved as bytes");

 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { os::release(data_); }

  // Each is false when there is no memory, with nothing changed.

  // Room for so many elements, which can then be added without asking.
  [[nodiscard]] bool reserve(size_t capacity) { return capacity <= capacity_ || grow(capacity); }
  // New elements hold anything.
  [[nodiscard]] bool resize(size_t size) {
    if (!reserve(size)) return false;
    size_ = size;
    return true;
  }
  // Any number of these two takes a few allocations.
  [[nodiscard]] bool add(const T& value) {
    if (size_ == capacity_ && !grow_for(1)) return false;
    data_[size_++] = value;
    return true;
  }
  [[nodiscard]] bool extend(size_t count) {  // by elements that hold anything
    if (count > capacity_ - size_ && !grow_for(count)) return false;
    size_ += count;
    return true;
  }

  // For what has been reserved.
  void add_reserved(const T& value) { data_[size_++] = value; }
  T* extend_reserved(size_t count) {
    T* const first = data_ + size_;
    size_ += count;
    return first;
  }

  void clear() { size_ = 0; }
  // Forgets everything; keeps the memory only if it is no more than that.
  void clear_keeping(size_t bytes) {
    size_ = 0;
    if (capacity_ * sizeof(T) <= bytes) return;
    os::release(data_);
    data_ = nullptr;
    capacity_ = 0;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  bool grow_for(size_t more) {
    if (more > SIZE_MAX - size_) return false;
    const size_t least = size_ + more, longer = capacity_ < 16 ? 16 : capacity_ + capacity_ / 2;
    return grow(longer > least ? longer : least);
  }

  bool grow(size_t capacity) {
    if (capacity > SIZE_MAX / 2 / sizeof(T)) return false;
    void* const memory = os::allocate(capacity * sizeof(T));
    if (memory == nullptr) return false;
    if (size_ > 0) memcpy(memory, static_cast<const void*>(data_), size_ * sizeof(T));
    os::release(data_);
    data_ = static_cast<T*>(memory);
    capacity_ = capacity;
    return true;
  }

  T* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace gradstep
