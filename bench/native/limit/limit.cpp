// The machine's own speed: loops that move the memory a kernel moves and compute next to nothing. bench/limit.ts builds
// this addon on first use, for the CPU at hand; it is no part of the package.
//
// Arrays are Float32Arrays of one length. Every function takes a variant and the number of threads first. No one loop
// is the fastest in all caches and in memory: which of the variants is the limit is for bench/limit.ts to find out.
#include <node_api.h>
#include <stddef.h>
#include <stdint.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace {

struct Arrays {
  size_t count = 0, length = 0, threads = 1;
  float* data[6] = {};
};

// One more thread for each that is asked for, which stays: starting one takes 20 us, in which a cache is read. Between
// two calls it spins for a while, and then sleeps.
class Helper {
 public:
  Helper() { std::thread(&Helper::work, this).detach(); }
  void start(std::function<void()> job) {
    job_ = std::move(job);
    const std::lock_guard<std::mutex> lock(mutex_);
    busy_.store(true);
    called_.notify_one();
  }
  void wait() const {
    while (busy_.load()) {}
  }

 private:
  void work() {
    for (;;) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(200);
      while (!busy_.load() && std::chrono::steady_clock::now() < end) {}
      if (!busy_.load()) {
        std::unique_lock<std::mutex> lock(mutex_);
        called_.wait(lock, [this] { return busy_.load(); });
      }
      job_();
      busy_.store(false);
    }
  }
  std::function<void()> job_;
  std::atomic<bool> busy_{false};
  std::mutex mutex_;
  std::condition_variable called_;
};

// Calls loop(begin, end) for as many equal parts as there are threads, each on its own, in the same one every time.
template <class Loop> void split(const Arrays& a, Loop loop) {
  static Helper* const helpers = new Helper[std::thread::hardware_concurrency()];
  const size_t part = a.threads == 1 ? a.length : (a.length / a.threads + 15) / 16 * 16;
  const auto run = [=](size_t t) {
    const size_t begin = t * part, end = t + 1 == a.threads ? a.length : begin + part;
    if (begin < a.length) loop(begin, end < a.length ? end : a.length);
  };
  for (size_t t = 1; t < a.threads; ++t) helpers[t - 1].start([=] { run(t); });
  run(0);
  for (size_t t = 1; t < a.threads; ++t) helpers[t - 1].wait();
}

volatile float sink;  // what is read must seem to be of use

template <int kBytes> struct VectorOf {
  typedef float Type __attribute__((vector_size(kBytes), aligned(4), may_alias));
};

// How a loop is made: its vectors, and how many cache lines ahead it asks for what it will need, if it does.
template <int kVectorBytes, int kLinesAhead> struct Shape {
  using Vector = typename VectorOf<kVectorBytes>::Type;
  static constexpr size_t kLanes = kVectorBytes / 4, kLine = 16, kAhead = kLinesAhead * kLine;

  // body(i) for the vector that starts at i, one cache line at a time, which is asked for in every array before; then
  // single(i) for what is left.
  template <size_t kCount, class Body, class Single>
  static void each(float* const (&arrays)[kCount], size_t read_only, size_t begin, size_t end, Body body,
                   Single single) {
    size_t i = begin;
    for (; i + kLine <= end; i += kLine) {
      if (kLinesAhead > 0) {
#pragma GCC unroll 6
        for (size_t k = 0; k < kCount; ++k) {
          if (k < read_only) __builtin_prefetch(arrays[k] + i + kLinesAhead * kLine);
          else __builtin_prefetch(arrays[k] + i + kLinesAhead * kLine, 1);
        }
      }
#pragma GCC unroll 2
      for (size_t j = 0; j < kLine; j += kLanes) body(i + j);
    }
    for (; i < end; ++i) single(i);
  }
  static Vector& at(float* p) { return *reinterpret_cast<Vector*>(p); }
};

// read(x): 1 read
template <class S> void read(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    const float* __restrict x = a.data[0];
    constexpr size_t kSums = 128;  // enough of them in flight that reading, and not adding, takes the time
    float sums[kSums] = {};
    for (size_t i = begin; i + kSums <= end; i += kSums) {
      for (size_t k = 0; k < kSums; ++k) sums[k] += x[i + k];
    }
    for (float sum : sums) sink = sum;
  });
}

// copy(y, x): 1 read, 1 write
template <class S> void copy(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    float *const y = a.data[0], *const x = a.data[1];
    S::template each<2>(
        {x, y}, 1, begin, end, [=](size_t i) { S::at(y + i) = -S::at(x + i); }, [=](size_t i) { y[i] = -x[i]; });
  });
}

// join(y, x, z): 2 reads, 1 write
template <class S> void join(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    float *const y = a.data[0], *const x = a.data[1], *const z = a.data[2];
    S::template each<3>(
        {x, z, y}, 2, begin, end, [=](size_t i) { S::at(y + i) = S::at(x + i) + S::at(z + i); },
        [=](size_t i) { y[i] = x[i] + z[i]; });
  });
}

// update(g, w, slots...): reads all, writes all but g. A rule's w and slots make no difference here.
template <class S> void update(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    float *const g = a.data[0], *const w = a.data[1], *const s = a.data[2], *const t = a.data[3], *const u = a.data[4];
    switch (a.count) {
      case 2:
        return S::template each<2>(
            {g, w}, 1, begin, end, [=](size_t i) { S::at(w + i) += S::at(g + i); }, [=](size_t i) { w[i] += g[i]; });
      case 3:
        return S::template each<3>(
            {g, w, s}, 1, begin, end,
            [=](size_t i) {
              const auto x = S::at(g + i);
              S::at(w + i) += x, S::at(s + i) += x;
            },
            [=](size_t i) { w[i] += g[i], s[i] += g[i]; });
      case 4:
        return S::template each<4>(
            {g, w, s, t}, 1, begin, end,
            [=](size_t i) {
              const auto x = S::at(g + i);
              S::at(w + i) += x, S::at(s + i) += x, S::at(t + i) += x;
            },
            [=](size_t i) { w[i] += g[i], s[i] += g[i], t[i] += g[i]; });
      case 5:
        return S::template each<5>(
            {g, w, s, t, u}, 1, begin, end,
            [=](size_t i) {
              const auto x = S::at(g + i);
              S::at(w + i) += x, S::at(s + i) += x, S::at(t + i) += x, S::at(u + i) += x;
            },
            [=](size_t i) { w[i] += g[i], s[i] += g[i], t[i] += g[i], u[i] += g[i]; });
    }
  });
}

// lamb(g, w, m, v): a pass that reads all and writes m and v, one that reads w, m, v and writes w.
template <class S> void lamb(const Arrays& a) {
  float *const g = a.data[0], *const w = a.data[1], *const m = a.data[2], *const v = a.data[3];
  split(a, [=](size_t begin, size_t end) {
    typename S::Vector sum = {};
    S::template each<4>(
        {g, w, m, v}, 2, begin, end,
        [&, w, g, m, v](size_t i) {
          const auto x = S::at(g + i);
          sum += S::at(w + i), S::at(m + i) += x, S::at(v + i) += x;
        },
        [=](size_t i) { m[i] += g[i], v[i] += g[i]; });
    sink = sum[0];
  });
  split(a, [=](size_t begin, size_t end) {
    S::template each<3>(
        {m, v, w}, 2, begin, end, [=](size_t i) { S::at(w + i) += S::at(m + i) - S::at(v + i); },
        [=](size_t i) { w[i] += m[i] - v[i]; });
  });
}

// lars(g, w, v): a pass that reads g and w, one that reads all and writes w and v.
template <class S> void lars(const Arrays& a) {
  float *const g = a.data[0], *const w = a.data[1], *const v = a.data[2];
  split(a, [=](size_t begin, size_t end) {
    const float* __restrict x = g;
    const float* __restrict y = w;
    constexpr size_t kSums = 64;  // as in read()
    float sums[kSums] = {};
    for (size_t i = begin; i + kSums <= end; i += kSums) {
#pragma GCC unroll 4
      for (size_t k = 0; S::kAhead > 0 && k < kSums; k += S::kLine) {
        __builtin_prefetch(x + i + k + S::kAhead);
        __builtin_prefetch(y + i + k + S::kAhead);
      }
      for (size_t k = 0; k < kSums; ++k) sums[k] += x[i + k] + y[i + k];
    }
    for (float sum : sums) sink = sum;
  });
  split(a, [=](size_t begin, size_t end) {
    S::template each<3>(
        {g, w, v}, 1, begin, end,
        [=](size_t i) {
          const auto x = S::at(g + i);
          S::at(w + i) += x, S::at(v + i) += x;
        },
        [=](size_t i) { w[i] += g[i], v[i] += g[i]; });
  });
}

// divide(y, x, z): what Adam's rule asks of the unit that divides, and nothing else. In caches it is the limit.
template <class> void divide(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    float* __restrict y = a.data[0];
    const float* __restrict x = a.data[1], * __restrict z = a.data[2];
    for (size_t i = begin; i < end; ++i) y[i] = x[i] / std::sqrt(z[i]);
  });
}

// adam(g, w, m, v): the rule itself as the compiler vectorises it.
template <class> void adam(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    const float* __restrict g = a.data[0];
    float* __restrict w = a.data[1], * __restrict m = a.data[2], * __restrict v = a.data[3];
    for (size_t i = begin; i < end; ++i) {
      m[i] += (g[i] - m[i]) * 0.1f;
      v[i] += (g[i] * g[i] - v[i]) * 0.001f;
      w[i] -= m[i] * 1e-3f / (std::sqrt(v[i]) + 1e-8f);
    }
  });
}

using Loop = void (*)(const Arrays&);

// The variants: bench/limit.ts says which of them take part.
#define VARIANTS(loop)                                          \
  {loop<Shape<32, 0>>, loop<Shape<32, 4>>, loop<Shape<32, 16>>, \
   loop<Shape<64, 0>>, loop<Shape<64, 4>>, loop<Shape<64, 16>>}

struct Function {
  const char* name;
  Loop variants[6];
};
const Function functions[] = {{"read", VARIANTS(read)},     {"copy", VARIANTS(copy)}, {"join", VARIANTS(join)},
                              {"update", VARIANTS(update)}, {"lamb", VARIANTS(lamb)}, {"lars", VARIANTS(lars)},
                              {"divide", VARIANTS(divide)}, {"adam", VARIANTS(adam)}};

napi_value call(napi_env env, napi_callback_info info) {
  size_t count = 8;
  napi_value arguments[8];
  void* function = nullptr;
  napi_get_cb_info(env, info, &count, arguments, nullptr, &function);
  Arrays a;
  uint32_t variant = 0, threads = 1;
  napi_get_value_uint32(env, arguments[0], &variant);
  napi_get_value_uint32(env, arguments[1], &threads);
  a.threads = threads;
  for (size_t i = 2; i < count; ++i) {
    void* data = nullptr;
    napi_get_typedarray_info(env, arguments[i], nullptr, &a.length, &data, nullptr, nullptr);
    a.data[a.count++] = static_cast<float*>(data);
  }
  static_cast<const Function*>(function)->variants[variant](a);
  return nullptr;
}

// address(array), modulo the size of a page
napi_value address(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, value;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_typedarray_info(env, argument, nullptr, nullptr, &data, nullptr, nullptr);
  napi_create_uint32(env, uint32_t(uintptr_t(data) % 4096), &value);
  return value;
}

void add(napi_env env, napi_value exports, const char* name, napi_callback callback, const Function* data) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, const_cast<Function*>(data), &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

NAPI_MODULE_INIT() {
  for (const Function& function : functions) add(env, exports, function.name, call, &function);
  add(env, exports, "address", address, nullptr);
  return exports;
}
