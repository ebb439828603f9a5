# One static library per instruction set, so that its flags reach only its own objects.
#   INSTRUCTION_SETS   those of the machine we build for
#   FLAGS_<isa>        what compiles code for it
#   ISA_LIBRARIES      the libraries
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(INSTRUCTION_SETS scalar avx2 avx512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(INSTRUCTION_SETS scalar neon)
else()
  set(INSTRUCTION_SETS scalar)
endif()

set(FLAGS_scalar -Os) # the fallback: small and quick to compile
if(GRADSTEP_SANITIZE AND avx2 IN_LIST INSTRUCTION_SETS)
  add_compile_options(-mfma) # Calls of fma are what the tests would wait for. The bits are the same.
endif()
set(FLAGS_neon "")
set(FLAGS_avx2 -mavx2 -mfma)
set(FLAGS_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 takes its own headers' undefined vectors for uninitialized variables (its bug 105593).
  list(APPEND FLAGS_avx512 -Wno-uninitialized -Wno-maybe-uninitialized)
endif()
if(GRADSTEP_EMULATE_AVX512)
  set(FLAGS_avx512 ${FLAGS_avx2} -Wno-psabi "-DGRADSTEP_EMULATE_AVX512=\"${PROJECT_SOURCE_DIR}/native/test/emulated_avx512.h\"")
endif()

foreach(isa IN LISTS INSTRUCTION_SETS)
  read_sources(isa_${isa} isa_sources)
  add_library(isa_${isa} STATIC ${isa_sources})
  target_compile_options(isa_${isa} PRIVATE ${FLAGS_${isa}})
  list(APPEND ISA_LIBRARIES isa_${isa})
endforeach()
