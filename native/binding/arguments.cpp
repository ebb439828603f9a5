#include "arguments.h"

#include <math.h>

namespace gradstep {

namespace {

const char* class_of(Format format) { return format == Format::float32 ? "Float32Array" : "Float64Array"; }

}  // namespace

void Arguments::type_error(const std::string& message) {
  if (!failed_) Napi::TypeError::New(env_, message).ThrowAsJavaScriptException();
  failed_ = true;
}

void Arguments::range_error(const std::string& message) {
  if (!failed_) Napi::RangeError::New(env_, message).ThrowAsJavaScriptException();
  failed_ = true;
}

void Arguments::out_of_memory(const char* what_for) {
  if (!failed_) Napi::Error::New(env_, std::string("out of memory: ") + what_for).ThrowAsJavaScriptException();
  failed_ = true;
}

void Arguments::require(bool holds, const char* message) {
  if (!holds) range_error(message);
}

Floats Arguments::floats_of(napi_value value, const char* name) {
  Floats result;
  napi_typedarray_type type;
  napi_value buffer;
  size_t offset;
  // One call for everything: it is most of what a short step costs.
  const napi_status status =
      napi_get_typedarray_info(env_, value, &type, &result.length, &result.data, &buffer, &offset);
  if (status != napi_ok || (type != napi_float32_array && type != napi_float64_array)) {
    type_error(std::string(name) + " must be a Float32Array or a Float64Array");
    return {};
  }
  result.format = type == napi_float32_array ? Format::float32 : Format::float64;
  return result;
}

Floats Arguments::floats(const char* name) { return floats_of(next(), name); }

Floats Arguments::floats(const char* name, Format format) {
  const Floats result = floats(name);
  if (!failed_ && result.format != format) type_error(std::string(name) + " must be a " + class_of(format));
  return result;
}

Floats Arguments::floats(const char* name, Format format, size_t length) {
  const Floats result = floats(name, format);
  if (!failed_ && result.length != length) {
    range_error(std::string(name) + " has " + std::to_string(result.length) + " elements, expected " +
                std::to_string(length));
  }
  return result;
}

Int32s Arguments::int32s(const char* name) { return int32s_of(next(), name); }

Floats Arguments::wholes_of(napi_value value, napi_typedarray_type kind, const char* name) {
  Floats result;
  napi_typedarray_type type;
  napi_value buffer;
  size_t offset;
  const napi_status status =
      napi_get_typedarray_info(env_, value, &type, &result.length, &result.data, &buffer, &offset);
  if (status == napi_ok && type == kind) return result;
  type_error(std::string(name) + (kind == napi_int32_array ? " must be an Int32Array" : " must be a Uint8Array"));
  return {};
}

Int32s Arguments::int32s_of(napi_value value, const char* name) {
  napi_typedarray_type type;
  size_t length, offset;
  void* data;
  napi_value buffer;
  const napi_status status = napi_get_typedarray_info(env_, value, &type, &length, &data, &buffer, &offset);
  if (status != napi_ok || type != napi_int32_array) {
    type_error(std::string(name) + " must be an Int32Array");
    return {};
  }
  return {static_cast<const int32_t*>(data), length};
}

void Arguments::sizes(const char* name, Buffer<size_t>& sizes) {
  sizes.clear();
  const Floats values = floats(name, Format::float64);
  if (!sizes.reserve(values.length)) out_of_memory(name);
  for (size_t i = 0; i < values.length && !failed_; ++i) {
    const double value = values.as<double>()[i];
    if (!(value >= 0 && value <= kMaxSafeInteger)) return range_error(std::string(name) + " must hold sizes");
    sizes.add_reserved(static_cast<size_t>(value));
  }
}

double Arguments::number(const char* name) {
  double result = 0;
  if (napi_get_value_double(env_, next(), &result) != napi_ok) type_error(std::string(name) + " must be a number");
  return result;
}

size_t Arguments::size(const char* name) {
  const double value = number(name);
  if (!failed_ && !(value >= 0 && value <= kMaxSafeInteger && floor(value) == value)) {
    range_error(std::string(name) + " must be a whole number that is not negative");
  }
  return failed_ ? 0 : static_cast<size_t>(value);
}

Format Arguments::format(const char* name) {
  const size_t number = size(name);
  if (!failed_ && number >= kFormatCount) range_error(std::string(name) + " must be a format's number");
  return failed_ ? Format::float32 : static_cast<Format>(number);
}

bool Arguments::boolean(const char* name) {
  bool result = false;
  if (napi_get_value_bool(env_, next(), &result) != napi_ok) type_error(std::string(name) + " must be a boolean");
  return result;
}

std::string Arguments::string(const char* name) {
  const Napi::Value value = next();
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  type_error(std::string(name) + " must be a string");
  return {};
}

Napi::Value Arguments::object(const char* name) {
  const Napi::Value value = next();
  if (!value.IsObject()) type_error(std::string(name) + " must be an object");
  return value;
}

size_t first_outside(Int32s indices, size_t limit) {
  for (size_t i = 0; i < indices.length; ++i) {
    if (indices.data[i] < 0 || static_cast<size_t>(indices.data[i]) >= limit) return i;
  }
  return indices.length;
}

}  // namespace gradstep
