// Single objects in memory that may run out.
#pragma once
#include <new>
#include <utility>

#include "os/os.h"

namespace gradstep {

// nullptr when there is no memory.
template <class T, class... Arguments> T* make(Arguments&&... arguments) {
  void* const memory = os::allocate(sizeof(T));
  return memory == nullptr ? nullptr : new (memory) T(std::forward<Arguments>(arguments)...);
}

template <class T> void unmake(T* object) {
  if (object == nullptr) return;
  object->~T();
  os::release(object);
}

}  // namespace gradstep
