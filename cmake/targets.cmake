# rf_library, rf_test, rf_fuzzer: every folder's CMakeLists.txt is a list of files and dependencies, nothing more.

add_library(rf_options INTERFACE)
target_include_directories(rf_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(rf_options INTERFACE -Wall -Wextra -Wshadow -Wno-missing-field-initializers)
# Where every processor has fused multiply-adds, GCC makes them of products and sums: the references of the tests and what is packed would
# differ from those of x86.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  target_compile_options(rf_options INTERFACE -ffp-contract=off)
endif()
if(RF_WERROR)
  target_compile_options(rf_options INTERFACE -Werror)
endif()
if(RF_SANITIZE)
  target_compile_options(rf_options INTERFACE -fsanitize=${RF_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(rf_options INTERFACE -fsanitize=${RF_SANITIZE})
  # GCC warns about paths that only the sanitizers' own code adds (-Wmaybe-uninitialized), about Asio's coroutine frames, whose new and delete
  # it inlines only half at -O1 (-Wmismatched-new-delete), and that ThreadSanitizer does not follow fences (-Wtsan; base/sigbus_guard.cc has
  # one).
  target_compile_options(rf_options INTERFACE
    "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-mismatched-new-delete;-Wno-tsan>")
  # Clang 14 cannot assemble what its check of function types makes of coroutines.
  target_compile_options(rf_options INTERFACE "$<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>")
endif()

# rf_list_files(OUT LIST): the file names in a .def list, which are the last argument of its lines: RF_OP(Add, add) names "add". A change
# of the list configures the build anew.
function(rf_list_files out list)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(STRINGS ${list} lines REGEX "^RF_[A-Z_]+\\(")
  set(files "")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "[(, ]([a-z0-9_]+)\\)$")
      message(FATAL_ERROR "${list}: a line must end in the name of a file and ')': ${line}")
    endif()
    list(APPEND files ${CMAKE_MATCH_1})
  endforeach()
  list(REMOVE_DUPLICATES files)
  set(${out} ${files} PARENT_SCOPE)
endfunction()

# rf_include_all(HEADER FOLDER files...): writes generated/HEADER in the build folder, which includes FOLDER/<file>.h of each file.
function(rf_include_all header folder)
  set(includes ${ARGN})
  list(TRANSFORM includes REPLACE "(.+)" "#include \"${folder}/\\1.h\"\n")
  list(JOIN includes "" includes)
  file(CONFIGURE OUTPUT generated/${header} CONTENT "#pragma once\n\n${includes}")
endfunction()

# What libFuzzer sees the coverage of: what reads bytes that someone else wrote. Clang 14 cannot instrument the server's coroutines.
set(RF_FUZZED_LIBRARIES base quant text gguf model)

# rf_library(NAME SOURCES files... DEPS targets...): the static library rf_NAME of one folder.
function(rf_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_library(rf_${name} STATIC ${arg_SOURCES})
  target_link_libraries(rf_${name} PUBLIC rf_options ${arg_DEPS})
  if(RF_BUILD_FUZZERS AND name IN_LIST RF_FUZZED_LIBRARIES)
    target_compile_options(rf_${name} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# rf_listed_sources(RESULT folder/list.def MACRO): folder/some_name.cc for each line MACRO(SomeName) or MACRO(SomeName, …) of a list.
function(rf_listed_sources result list macro)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  get_filename_component(folder ${list} DIRECTORY)
  file(STRINGS ${list} lines REGEX "^${macro}\\(")
  set(sources "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^${macro}\\(([A-Za-z0-9]+)[,)].*" "\\1" name "${line}")
    string(REGEX REPLACE "([a-z0-9])([A-Z])" "\\1_\\2" name "${name}")
    string(TOLOWER "${name}" name)
    list(APPEND sources ${folder}/${name}.cc)
  endforeach()
  set(${result} ${sources} PARENT_SCOPE)
endfunction()

# rf_add_shards(NAME EXECUTABLE FILTER N): the tests of a GoogleTest executable that the filter lets through (empty: all) as N ctest entries
# NAME_0, NAME_1, ..., or for 1 as NAME. Each run leaves its cases in test-results/ENTRY.xml, from which scripts/test.sh counts.
function(rf_add_shards name executable filter n_shards)
  if(filter)
    set(filter --gtest_filter=${filter})
  endif()
  math(EXPR last "${n_shards} - 1")
  foreach(shard RANGE ${last})
    set(entry ${name})
    if(n_shards GREATER 1)
      set(entry ${name}_${shard})
    endif()
    add_test(NAME ${entry}
      COMMAND ${executable} ${filter} --gtest_brief=1 --gtest_output=xml:${CMAKE_BINARY_DIR}/test-results/${entry}.xml)
    set_tests_properties(${entry} PROPERTIES TIMEOUT 1200 ENVIRONMENT "GTEST_TOTAL_SHARDS=${n_shards};GTEST_SHARD_INDEX=${shard}")
  endforeach()
endfunction()

# rf_test(NAME SOURCES files... DEPS targets... [LABELS labels...] [FILTER tests] [SHARDS n]): one GoogleTest executable and its ctest entries.
# The target rf_tests builds all of them, and not the program and its tools: what a sanitizer build needs.
if(RF_BUILD_TESTS)
  add_custom_target(rf_tests)
endif()
function(rf_test name)
  if(NOT RF_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "FILTER;SHARDS" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT arg_SHARDS)
    set(arg_SHARDS 1)
  endif()
  add_executable(rf_${name}_test ${arg_SOURCES})
  target_link_libraries(rf_${name}_test PRIVATE rf_options ${arg_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(rf_${name}_test PRIVATE RF_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  rf_add_shards(${name} rf_${name}_test "${arg_FILTER}" ${arg_SHARDS})
  if(arg_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
  endif()
  add_dependencies(rf_tests rf_${name}_test)
endfunction()

# rf_fuzzer(NAME SOURCES files... DEPS targets...): one libFuzzer executable fuzzers/rf_fuzz_NAME. The target rf_fuzzers builds all of
# them, and only what they need.
if(RF_BUILD_FUZZERS)
  add_custom_target(rf_fuzzers)
endif()
function(rf_fuzzer name)
  if(NOT RF_BUILD_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(rf_fuzz_${name} ${arg_SOURCES})
  target_link_libraries(rf_fuzz_${name} PRIVATE rf_options ${arg_DEPS})
  target_compile_definitions(rf_fuzz_${name} PRIVATE RF_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_options(rf_fuzz_${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(rf_fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzzers)
  add_dependencies(rf_fuzzers rf_fuzz_${name})
endfunction()
