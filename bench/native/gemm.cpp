// Speed of matrix multiplication beside OpenBLAS, both in one process, taking turns.
//
//     gemm_bench [--isa=avx2] [--threads=1] [--coretype=Haswell] [--type=f32] [--seconds=0.3]
//                [--library=libopenblas.so.0] [--shape=64x784x256,1000x1000x1000] [--op=nn,tn]
//
// OpenBLAS is looked up when the program runs (Debian: libopenblas0), with --threads threads and the kernels of
// --coretype (empty: its own choice). Each row is a shape m x k x n and an op: n or t for a, n or t for b. Both compute
// the product once and must agree before anything is timed; then they take turns for about --seconds. GF/s are those of
// the best turn of each, ratio is theirs by ours; on a machine with other work to do, that is what repeats. The last
// column is the median over rounds of their time / our time.
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../../native/drivers/gemm.h"
#include "../../native/runtime/dispatch.h"
#include "../../native/runtime/pool.h"

using namespace gradstep;

struct Settings {
  std::string isa, threads = "1", coretype = "Haswell", type = "f32", seconds = "0.3", library = "libopenblas.so.0",
                   shape, op;
};

struct Shape { size_t m, k, n; };

struct OpenBlas {
  void (*sgemm)(int order, int ta, int tb, int m, int n, int k, float, const float*, int, const float*, int, float,
                float*, int);
  void (*dgemm)(int order, int ta, int tb, int m, int n, int k, double, const double*, int, const double*, int, double,
                double*, int);
  const char* (*corename)();

  void operator()(const Gemm<float>& g) const {
    sgemm(101, 111 + g.transpose_a, 111 + g.transpose_b, int(g.m), int(g.n), int(g.k), 1, g.a, int(g.lda), g.b,
          int(g.ldb), 0, g.c, int(g.ldc));
  }
  void operator()(const Gemm<double>& g) const {
    dgemm(101, 111 + g.transpose_a, 111 + g.transpose_b, int(g.m), int(g.n), int(g.k), 1, g.a, int(g.lda), g.b,
          int(g.ldb), 0, g.c, int(g.ldc));
  }
};

template <class F> static void find(void* library, const char* name, F*& function) {
  function = reinterpret_cast<F*>(dlsym(library, name));
  if (!function) {
    fprintf(stderr, "%s\n", dlerror());
    exit(2);
  }
}

static OpenBlas open_blas(const Settings& settings) {
  unsetenv("OPENBLAS_CORETYPE");
  if (!settings.coretype.empty()) setenv("OPENBLAS_CORETYPE", settings.coretype.c_str(), 1);
  setenv("OPENBLAS_NUM_THREADS", settings.threads.c_str(), 1);
  setenv("OPENBLAS_THREAD_TIMEOUT", "18", 1);  // 2^18 cycles, instead of 2^26: its threads spin in our turns otherwise
  void* library = dlopen(settings.library.c_str(), RTLD_NOW);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    exit(2);
  }
  OpenBlas blas;
  find(library, "cblas_sgemm", blas.sgemm);
  find(library, "cblas_dgemm", blas.dgemm);
  find(library, "openblas_get_corename", blas.corename);

  // Until it has seen one big product, this library multiplies small ones at a third of its speed.
  const size_t n = 512;
  const std::vector<float> a(n * n, 1);
  std::vector<float> c(n * n);
  blas(Gemm<float>{n, n, n, a.data(), n, false, a.data(), n, false, c.data(), n, false, nullptr, Activation::none,
                   nullptr});
  return blas;
}

template <class Run> static double seconds_per_call(size_t calls, Run run) {
  const auto start = std::chrono::steady_clock::now();
  for (size_t i = 0; i < calls; ++i) run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / double(calls);
}

static double median(std::vector<double> x) {
  std::nth_element(x.begin(), x.begin() + ptrdiff_t(x.size() / 2), x.end());
  return x[x.size() / 2];
}

template <class T> static void compare(const OpenBlas& blas, const Settings& settings, Shape s, const char* op) {
  std::mt19937 random(1);
  std::uniform_real_distribution<T> uniform(-1, 1);
  std::vector<T> a(s.m * s.k), b(s.k * s.n), c(s.m * s.n), theirs(s.m * s.n);
  for (T& x : a) x = uniform(random);
  for (T& x : b) x = uniform(random);
  const bool ta = op[0] == 't', tb = op[1] == 't';
  Gemm<T> g = {s.m,      s.n, s.k,   a.data(), ta ? s.m : s.k,   ta,     b.data(), tb ? s.k : s.n, tb,
               c.data(), s.n, false, nullptr,  Activation::none, nullptr};
  Gemm<T> h = g;
  h.c = theirs.data();

  const auto ours = [&] {
    if (gemm(g)) return;
    fprintf(stderr, "out of memory\n");
    exit(1);
  };
  ours();
  blas(h);
  const double tolerance = double(s.k) * double(std::numeric_limits<T>::epsilon());
  for (size_t i = 0; i < c.size(); ++i)
    if (!(fabs(double(c[i]) - double(theirs[i])) <= tolerance)) {
      fprintf(stderr, "%s disagrees at %zu\n", op, i);
      exit(1);
    }

  // A turn is long for the clock and short for the scheduler. It starts with a call that is not timed, which finds the
  // other side's data in the caches and its own threads asleep. A pause before it lets the other's stop spinning.
  const size_t calls = size_t(1 + 2e-3 / seconds_per_call(1, [&] { blas(h); }));
  const auto turn = [&](auto run) {
    if (settings.threads != "1") std::this_thread::sleep_for(std::chrono::microseconds(300));
    if (calls > 1) run();
    return seconds_per_call(calls, run);
  };
  std::vector<double> our_times, their_times, ratios;
  double left = atof(settings.seconds.c_str());
  while (ratios.size() < 5 || left > 0) {
    our_times.push_back(turn(ours));
    their_times.push_back(turn([&] { blas(h); }));
    ratios.push_back(their_times.back() / our_times.back());
    left -= double(calls) * (our_times.back() + their_times.back());
  }
  const double work = 2e-9 * double(s.m) * double(s.n) * double(s.k);
  const double our_best = *std::min_element(our_times.begin(), our_times.end());
  const double their_best = *std::min_element(their_times.begin(), their_times.end());
  printf("%5zu x %5zu x %5zu  %s  %8.2f  %8.2f  %6.3f  %6.3f\n", s.m, s.k, s.n, op, work / our_best, work / their_best,
         their_best / our_best, median(ratios));
  fflush(stdout);
}

// Whether `list`, separated by commas, is empty or has `item`.
static bool wants(const std::string& list, const std::string& item) {
  return list.empty() || ("," + list + ",").find("," + item + ",") != std::string::npos;
}

template <class T> static void compare_all(const OpenBlas& blas, const Settings& settings) {
  const auto row = [&](Shape s, const char* op) {
    if (wants(settings.op, op)) compare<T>(blas, settings, s, op);
  };
  static const char* const kOps[] = {"nn", "nt", "tn", "tt"};
  if (!settings.shape.empty()) {
    Shape s = {};
    for (const char* next = settings.shape.c_str(); next; next = strchr(next, ',')) {
      next += *next == ',';
      if (sscanf(next, "%zux%zux%zu", &s.m, &s.k, &s.n) != 3) {
        fprintf(stderr, "--shape is MxKxN\n");
        exit(2);
      }
      for (const char* op : kOps) row(s, op);
    }
    return;
  }
  // A dense layer [batch, in] x [in, out], then its gradients: by the weights x^T dy, by the input dy w^T.
  const Shape layers[] = {{64, 784, 256}, {64, 256, 10},  {128, 784, 256}, {128, 256, 10},
                          {1, 784, 256},  {32, 784, 128}, {128, 512, 512}, {256, 1024, 1024}};
  for (Shape layer : layers) {
    row(layer, "nn");
    row({layer.k, layer.m, layer.n}, "tn");
    row({layer.m, layer.n, layer.k}, "nt");
  }
  for (size_t n : {16, 32, 64, 65, 96, 127, 128, 192, 256, 384, 512, 768, 1000, 1024, 1536, 2048})
    for (const char* op : kOps) row({n, n, n}, op);
}

int main(int count, char** arguments) {
  Settings settings;
  const std::pair<const char*, std::string*> options[] = {
      {"--isa=", &settings.isa},           {"--threads=", &settings.threads},
      {"--coretype=", &settings.coretype}, {"--type=", &settings.type},
      {"--seconds=", &settings.seconds},   {"--library=", &settings.library},
      {"--shape=", &settings.shape},       {"--op=", &settings.op}};
  for (int i = 1; i < count; ++i) {
    bool known = false;
    for (const auto& [name, value] : options)
      if (strncmp(arguments[i], name, strlen(name)) == 0) *value = arguments[i] + strlen(name), known = true;
    if (!known) {
      fprintf(stderr, "unknown option %s\n", arguments[i]);
      return 2;
    }
  }
  if (!settings.isa.empty() && !use_isa(settings.isa.c_str())) {
    fprintf(stderr, "this machine has no %s\n", settings.isa.c_str());
    return 2;
  }
  set_threads(size_t(atoi(settings.threads.c_str())));
  const OpenBlas blas = open_blas(settings);
  printf("%s against OpenBLAS %s, %s, threads: %s\n", kernels().isa, blas.corename(), settings.type.c_str(),
         settings.threads.c_str());
  printf("    m x     k x     n  op  our GF/s their GF/s ratio  median\n");
  if (settings.type == "f64") compare_all<double>(blas, settings);
  else compare_all<float>(blas, settings);
}
