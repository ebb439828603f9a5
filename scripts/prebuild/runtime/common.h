// Of libc++ what cannot be reached without exceptions, or would bring them along. Memory that runs out ends the
// process, as it does with every C++ library that is built without exceptions.
#pragma once
#include <stddef.h>
#include <stdlib.h>

#include <charconv>
#include <new>
#include <string>
#include <thread>

#include "../../../native/runtime/os/os.h"

static void* or_abort(void* memory) {
  if (memory == nullptr) abort();
  return memory;
}

void* operator new(size_t bytes) { return or_abort(malloc(bytes > 0 ? bytes : 1)); }
void* operator new[](size_t bytes) { return operator new(bytes); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void* operator new(size_t bytes, std::align_val_t) { return or_abort(gradstep::os::allocate(bytes)); }  // 64 is enough
void operator delete(void* memory, std::align_val_t) noexcept { gradstep::os::release(memory); }

extern "C" {
[[noreturn]] void __cxa_pure_virtual() { abort(); }
[[noreturn]] void abort_message(const char*, ...) { abort(); }
#if !defined(__APPLE__)
extern void* __dso_handle __attribute__((visibility("hidden")));
void* __dso_handle = &__dso_handle;
#endif
}

namespace std {

[[noreturn]] void terminate() noexcept { abort(); }

inline namespace __1 {

[[noreturn]] void __throw_system_error(int, const char*) { abort(); }
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) { abort(); }

// Nobody asks to be told of the end of a thread.
__thread_specific_ptr<__thread_struct>& __thread_local_data() { abort(); }
__thread_struct::__thread_struct() { abort(); }
__thread_struct::~__thread_struct() { abort(); }
void __thread_struct::notify_all_at_thread_exit(condition_variable*, mutex*) { abort(); }

// libc++'s own string.cpp has these beside wide characters, floating point and what that wants of a C library.
#define DEFINE(...) template __VA_ARGS__;
_LIBCPP_STRING_V1_EXTERN_TEMPLATE_LIST(DEFINE, char)
template string operator+ <char, char_traits<char>, allocator<char>>(const char*, const string&);
#undef DEFINE

template <class T> static string digits_of(T value) {
  char digits[24];
  return string(digits, to_chars(digits, digits + sizeof digits, value).ptr);
}
string to_string(int value) { return digits_of(value); }
string to_string(unsigned long value) { return digits_of(value); }
string to_string(unsigned long long value) { return digits_of(value); }

}  // namespace __1
}  // namespace std
