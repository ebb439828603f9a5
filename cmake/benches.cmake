# Every bench/native/<name>.cpp is a program: `cmake --build --preset release --target <name>_bench`.
file(GLOB bench_files CONFIGURE_DEPENDS bench/native/*.cpp)
foreach(bench_file IN LISTS bench_files)
  get_filename_component(bench ${bench_file} NAME_WE)
  add_executable(${bench}_bench EXCLUDE_FROM_ALL ${bench_file})
  target_include_directories(${bench}_bench PRIVATE native)
  target_link_libraries(${bench}_bench PRIVATE core)
endforeach()
