{
  "variables": {
    "isa_scalar": ["native/isa/scalar.cpp"],
    "isa_avx2": ["native/isa/avx2.cpp"],
    "isa_avx512": ["native/isa/avx512.cpp"],
    "isa_neon": ["native/isa/neon.cpp"],
    "runtime": [
      "native/runtime/cpu.cpp",
      "native/runtime/dispatch.cpp",
      "native/runtime/pool.cpp"
    ],
    "runtime_posix": ["native/runtime/os/posix.cpp", "native/runtime/os/posix_memory.cpp"],
    "runtime_windows": ["native/runtime/os/windows.cpp", "native/runtime/os/windows_memory.cpp"],
    "drivers": [
      "native/drivers/average.cpp",
      "native/drivers/elementwise.cpp",
      "native/drivers/gemm.cpp",
      "native/drivers/histogram.cpp",
      "native/drivers/laid_out_step.cpp",
      "native/drivers/norm.cpp",
      "native/drivers/rows.cpp",
      "native/drivers/sparse.cpp",
      "native/drivers/step.cpp",
      "native/drivers/update.cpp"
    ],
    "binding": [
      "native/binding/addon.cpp",
      "native/binding/addresses.cpp",
      "native/binding/arguments.cpp",
      "native/binding/gradients.cpp",
      "native/binding/histograms.cpp",
      "native/binding/ops.cpp",
      "native/binding/optimizers.cpp",
      "native/binding/runtime.cpp",
      "native/binding/weak.cpp"
    ]
  }
}
