{
  "variables": {
    "isa_scalar": ["native/isa/scalar.cpp"],
    "isa_avx2": ["native/isa/avx2.cpp"],
    "isa_avx512": ["native/isa/avx512.cpp"],
    "isa_neon": ["native/isa/neon.cpp"],
    "runtime": [
      "native/runtime/cpu.cpp",
      "native/runtime/dispatch.cpp",
      "native/runtime/guard.cpp",
      "native/runtime/meeting.cpp",
      "native/runtime/pool.cpp",
      "native/runtime/queue.cpp",
      "native/runtime/waiting.cpp"
    ],
    "runtime_posix": ["native/runtime/os/posix.cpp", "native/runtime/os/posix_memory.cpp"],
    "runtime_windows": ["native/runtime/os/windows.cpp", "native/runtime/os/windows_memory.cpp"],
    "drivers": [
      "native/drivers/average.cpp",
      "native/drivers/collective.cpp",
      "native/drivers/elementwise.cpp",
      "native/drivers/gemm.cpp",
      "native/drivers/histogram.cpp",
      "native/drivers/laid_out_step.cpp",
      "native/drivers/norm.cpp",
      "native/drivers/program.cpp",
      "native/drivers/program_chains.cpp",
      "native/drivers/program_gradients.cpp",
      "native/drivers/program_parser.cpp",
      "native/drivers/random.cpp",
      "native/drivers/rows.cpp",
      "native/drivers/sparse.cpp",
      "native/drivers/step.cpp",
      "native/drivers/tasks.cpp",
      "native/drivers/update.cpp"
    ],
    "binding": [
      "native/binding/addon.cpp",
      "native/binding/addresses.cpp",
      "native/binding/arguments.cpp",
      "native/binding/commit.cpp",
      "native/binding/environment.cpp",
      "native/binding/gradients.cpp",
      "native/binding/histograms.cpp",
      "native/binding/jobs.cpp",
      "native/binding/meetings.cpp",
      "native/binding/ops.cpp",
      "native/binding/optimizers.cpp",
      "native/binding/places.cpp",
      "native/binding/program.cpp",
      "native/binding/random.cpp",
      "native/binding/runtime.cpp",
      "native/binding/weak.cpp"
    ]
  }
}
