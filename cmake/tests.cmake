# Every native/test/<name>_test.cpp is a program that prints `N passed, N failed` and exits with 0 when none failed.
# A native/test/<name>_<isa>.cpp is compiled for that instruction set; any of the programs may use it.
enable_testing()

foreach(isa IN LISTS INSTRUCTION_SETS)
  file(GLOB part_files CONFIGURE_DEPENDS native/test/*_${isa}.cpp)
  if(part_files)
    add_library(test_parts_${isa} STATIC ${part_files})
    target_compile_options(test_parts_${isa} PRIVATE ${FLAGS_${isa}})
    list(APPEND test_parts test_parts_${isa})
  endif()
endforeach()

file(GLOB test_files CONFIGURE_DEPENDS native/test/*_test.cpp)
foreach(test_file IN LISTS test_files)
  get_filename_component(test ${test_file} NAME_WE)
  add_executable(${test} ${test_file})
  target_link_libraries(${test} PRIVATE core ${test_parts})
  if(GRADSTEP_SANITIZE)  # what is expected is computed by plain loops
    target_compile_options(${test} PRIVATE -O2 --param=asan-instrumentation-with-call-threshold=7000)
  endif()
  add_test(NAME ${test} COMMAND ${test})
  set_tests_properties(${test} PROPERTIES TIMEOUT 600)
endforeach()
