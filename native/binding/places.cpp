// Places in shared memory, each of which one thread has at a time: lib/native.ts says what each function takes.
#include "../runtime/waiting.h"
#include "arguments.h"
#include "bindings.h"
#include "until_end.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;

// Leaves a place to the next thread, which sees all that this one has written.
struct Leave {
  uint32_t* word;

  void operator()() const { __atomic_store_n(word, 0, __ATOMIC_SEQ_CST); }
};

// takePlace(words, index): object | undefined
Napi::Value take_place(const Info& info) {
  Arguments args(info);
  const Napi::Value memory = args.next();
  const Int32s words = args.int32s_of(memory, "words");
  const size_t index = args.size("index");
  args.require(index < words.length, "index must be below the length of words");
  if (args.failed()) return args.undefined();
  void* const data = const_cast<int32_t*>(words.data);
  uint32_t* const word = static_cast<uint32_t*>(data) + index;
  uint32_t expected = 0;
  if (!exchange(word, expected, 1)) return args.undefined();
  const napi_value place = UntilEnd<Leave>::object(info.Env(), memory, Leave{word});
  if (place != nullptr) return Napi::Value(info.Env(), place);
  Leave{word}();
  args.out_of_memory("a place in shared memory");
  return args.undefined();
}

}  // namespace

void export_places(Napi::Env env, Napi::Object exports) { add<take_place>(env, exports, "takePlace"); }

}  // namespace gradstep
