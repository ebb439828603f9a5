#include "brought.h"

namespace gradstep {
namespace {

Span span_of(Arguments& args, napi_value value) {
  napi_valuetype kind;
  Span span = {nullptr, 0, Kind::kFloat32, true};
  if (napi_typeof(args.env(), value, &kind) == napi_ok && kind == napi_undefined) return span;
  napi_typedarray_type type;
  size_t offset;
  napi_value buffer;
  const napi_status status =
      napi_get_typedarray_info(args.env(), value, &type, &span.length, &span.data, &buffer, &offset);
  span.is_absent = false;
  if (status == napi_ok && type == napi_float32_array) span.kind = Kind::kFloat32;
  else if (status == napi_ok && type == napi_float64_array) span.kind = Kind::kFloat64;
  else if (status == napi_ok && type == napi_int32_array) span.kind = Kind::kInt32;
  else if (status == napi_ok && type == napi_bigint64_array) span.kind = Kind::kInt64;
  else args.type_error("arrays must be Float32Arrays, Float64Arrays, Int32Arrays or BigInt64Arrays");
  return span;
}

}  // namespace

void read_spans(Arguments& args, Buffer<Span>& spans) {
  spans.clear();
  const Napi::Value value = args.next();
  if (!value.IsArray()) return args.type_error("arrays must be an array");
  const Napi::Array arrays = value.As<Napi::Array>();
  const uint32_t count = arrays.Length();
  if (!spans.reserve(count)) return args.out_of_memory("a list of arrays");
  for (uint32_t i = 0; i < count && !args.failed(); ++i) {
    const Napi::HandleScope scope(args.env());
    napi_value item = nullptr;
    if (napi_get_element(args.env(), arrays, i, &item) != napi_ok) return args.type_error("arrays must be an array");
    spans.add_reserved(span_of(args, item));
  }
}

void check_brought(Arguments& args, const Brought& brought, size_t rank, const Buffer<Span>& in) {
  args.require(in.size() == brought.terms * brought.arrays, "there must be so many terms of so many arrays");
  args.require(brought.what == Collective::kReduce || brought.what == Collective::kBarrier || brought.terms == 1,
               "there must be one term");
  args.require(brought.outs == (has_results(brought.what, rank, brought.root) ? brought.arrays : 0),
               "there must be a result for each array");
  for (const Span& span : in) {
    args.require(!span.is_absent || brought.what == Collective::kReduce, "no array may be missing");
  }
  for (size_t i = 0; i < brought.outs; ++i) args.require(!brought.out[i].is_absent, "no result may be missing");
}

}  // namespace gradstep
