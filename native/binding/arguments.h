// JavaScript arguments become spans and numbers, checked and named. Reading goes on after a failure (it then yields
// empty values), so a function reads everything and asks once: `if (args.failed()) return args.undefined();`.
#pragma once
#include <napi.h>
#include <stdint.h>

#include <string>

#include "../kernels/formats.h"
#include "../runtime/buffer.h"

namespace gradstep {

constexpr double kMaxSafeInteger = 9007199254740991.0;

// A typed array of floats: where it is and what it is. There are formats that no class of arrays stands for: those come
// by their numbers.
struct Floats {
  void* data = nullptr;
  size_t length = 0;
  Format format = Format::float32;

  template <class T> T* as() const { return static_cast<T*>(data); }
};

struct Int32s {
  const int32_t* data = nullptr;
  size_t length = 0;
};

class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : env_(info.Env()), info_(info) {}

  // Each reads the next argument; `name` is for the message.
  Floats floats(const char* name);
  Floats floats(const char* name, Format format);                 // of this format
  Floats floats(const char* name, Format format, size_t length);  // of this format and length
  Int32s int32s(const char* name);
  void sizes(const char* name, Buffer<size_t>& sizes);  // a Float64Array of whole numbers
  double number(const char* name);
  size_t size(const char* name);
  Format format(const char* name);  // by its number
  bool boolean(const char* name);
  std::string string(const char* name);
  Napi::Value object(const char* name);
  Napi::Value next() { return info_[position_++]; }
  bool next_is_undefined() const { return position_ >= info_.Length() || info_[position_].IsUndefined(); }

  // The same for a value that came some other way.
  Floats floats_of(napi_value value, const char* name);
  Int32s int32s_of(napi_value value, const char* name);
  // An array of another class, of which the format says nothing.
  Floats wholes_of(napi_value value, napi_typedarray_type kind, const char* name);

  void type_error(const std::string& message);
  void range_error(const std::string& message);
  void out_of_memory(const char* what_for);  // an Error
  // Unless `holds`: a RangeError. For what the TypeScript side has already said in better words.
  void require(bool holds, const char* message);

  bool failed() const { return failed_; }
  Napi::Env env() const { return env_; }
  Napi::Value undefined() const { return {}; }  // what a function returns that returns no value

 private:
  Napi::Env env_;
  const Napi::CallbackInfo& info_;
  size_t position_ = 0;
  bool failed_ = false;
};

// The position of the first index outside [0, limit), or the length when there is none.
size_t first_outside(Int32s indices, size_t limit);

// Calls f with a number of the format's type, for its type. False, without calling it, for formats that rules alone
// have kernels for.
template <class F> bool with_type(Format format, F&& f) {
  switch (format) {
#define GRADSTEP_CALL(name, type) \
  case FormatOf<type>::kFormat: f(type()); return true;
    GRADSTEP_ARITHMETICS(GRADSTEP_CALL)
#undef GRADSTEP_CALL
  }
  return false;
}

}  // namespace gradstep
