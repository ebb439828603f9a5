# The addon: `cmake --build --preset release --target gradstep`. Its headers come from npm, nothing is downloaded.
add_library(gradstep MODULE EXCLUDE_FROM_ALL ${binding_sources})
set_target_properties(gradstep PROPERTIES PREFIX "" SUFFIX ".node" LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
target_include_directories(gradstep SYSTEM PRIVATE
  ${PROJECT_SOURCE_DIR}/node_modules/node-addon-api
  ${PROJECT_SOURCE_DIR}/node_modules/node-api-headers/include)
target_compile_definitions(gradstep PRIVATE
  NODE_GYP_MODULE_NAME=gradstep NAPI_VERSION=8 NAPI_DISABLE_CPP_EXCEPTIONS
  NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS)
target_link_libraries(gradstep PRIVATE core)
if(APPLE)
  target_link_options(gradstep PRIVATE -undefined dynamic_lookup)
elseif(UNIX)
  # nodelete: the pool's threads live as long as the process, so their code must too, whatever worker unloads the addon.
  # libstdc++ comes along, so the binary runs on systems with an older one.
  target_link_options(gradstep PRIVATE
    -Wl,-z,nodelete -Wl,--exclude-libs,ALL -static-libstdc++ -static-libgcc -Wl,--gc-sections -s)
endif()
