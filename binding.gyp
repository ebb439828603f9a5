# Builds build/Release/gradstep.node by way of scripts/build.mjs. CMakeLists.txt builds the same
# from the same list, native/sources.gypi.
#
# Every instruction set is a static library of its own, so that its flags reach only its own objects. The table
# of functions is the one symbol each of them exports; test/architecture.test.ts holds them to that.
#
# On Windows this needs Visual Studio 2022's "C++ Clang tools for Windows" beside its C++ workload: MSVC's own compiler
# knows neither the builtins nor the flags that make bits the same everywhere. Options that clang-cl does not know by
# themselves go through /clang:. (The published binaries are built by scripts/prebuild.mjs, not from here.)
{
  "includes": ["native/sources.gypi"],
  "target_defaults": {
    "default_configuration": "Release",
    "cflags": ["-O3", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra", "-g0"],
    # Node's own flags come along: its language standard makes way for ours, and a Node built with -flto must not have
    # code optimized across the border between two instruction sets.
    "configurations": {"Release": {"cflags": ["-fno-lto"]}},
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti"],
    "xcode_settings": {
      "GCC_OPTIMIZATION_LEVEL": "3",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
      "GCC_ENABLE_CPP_RTTI": "NO",
      "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
      "MACOSX_DEPLOYMENT_TARGET": "11.0",
      "OTHER_CFLAGS": ["-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra"],
    },
    "msbuild_toolset": "ClangCL",
    "msvs_settings": {
      "VCCLCompilerTool": {
        "ExceptionHandling": 0,
        "RuntimeTypeInfo": "false",
        "WholeProgramOptimization": "false",
        # /W3 is clang's -Wall; /std:c++17 comes after the standard that Node's headers ask for, and wins.
        "AdditionalOptions": ["/std:c++17", "/clang:-O3", "/clang:-ffp-contract=off", "/clang:-fno-math-errno"],
      },
      "VCLinkerTool": {"LinkTimeCodeGeneration": 0},
    },
  },
  "targets": [
    {
      "target_name": "isa_scalar",
      "type": "static_library",
      "sources": ["<@(isa_scalar)"],
      # The fallback for CPUs without the others: small and quick to compile.
      "cflags!": ["-O3"],
      "cflags": ["-Os"],
      "xcode_settings": {"GCC_OPTIMIZATION_LEVEL": "s"},
      "msvs_settings": {"VCCLCompilerTool": {"AdditionalOptions": ["/clang:-Os"]}},
    },
    {
      "target_name": "gradstep",
      "sources": ["<@(runtime)", "<@(drivers)", "<@(mpi)", "<@(binding)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      # An environment that is shutting down lets nothing be thrown: without the last one that would abort the process.
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "dependencies": ["isa_scalar"],
      "conditions": [
        ["target_arch == 'x64'", {"dependencies": ["isa_avx2", "isa_avx512"]}],
        ["target_arch == 'arm64'", {"dependencies": ["isa_neon"]}],
        ["OS == 'win'", {"sources": ["<@(runtime_windows)"]}, {"sources": ["<@(runtime_posix)"]}],
        ["OS == 'linux'", {
          # nodelete: the pool's threads live as long as the process, so their code must too, whatever worker
          # unloads the addon. libstdc++ comes along, so the binary runs on systems with an older one.
          "ldflags": ["-Wl,-z,nodelete", "-Wl,--exclude-libs,ALL", "-static-libstdc++", "-static-libgcc", "-Wl,--gc-sections", "-s"],
        }],
      ],
    },
  ],
  "conditions": [
    ["target_arch == 'x64'", {
      "targets": [
        {
          "target_name": "isa_avx2",
          "type": "static_library",
          "sources": ["<@(isa_avx2)"],
          "cflags": ["-mavx2", "-mfma"],
          "xcode_settings": {"OTHER_CFLAGS": ["-mavx2", "-mfma"]},
          "msvs_settings": {"VCCLCompilerTool": {"AdditionalOptions": ["-mavx2", "-mfma"]}},
        },
        {
          "target_name": "isa_avx512",
          "type": "static_library",
          "sources": ["<@(isa_avx512)"],
          # GCC 12 takes its own headers' undefined vectors for uninitialized variables (its bug 105593). Clang knows one
          # of the two options only; GCC overlooks the third.
          "cflags": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma",
                     "-Wno-uninitialized", "-Wno-maybe-uninitialized", "-Wno-unknown-warning-option"],
          "xcode_settings": {
            "OTHER_CFLAGS": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma"],
          },
          "msvs_settings": {
            "VCCLCompilerTool": {
              "AdditionalOptions": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma"],
            },
          },
        },
      ],
    }],
    ["target_arch == 'arm64'", {
      "targets": [
        {
          "target_name": "isa_neon",
          "type": "static_library",
          "sources": ["<@(isa_neon)"],
        },
      ],
    }],
  ],
}
