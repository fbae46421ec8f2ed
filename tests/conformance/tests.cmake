# Every op x format x instruction set against the reference, and the reference against numpy.
rf_list_files(ops ${CMAKE_SOURCE_DIR}/src/ops/ops.def)
list(TRANSFORM ops REPLACE "(.+)" "conformance/cases/\\1.cc" OUTPUT_VARIABLE case_files)
rf_test(conformance
  SOURCES conformance/check_test.cc conformance/conformance_test.cc conformance/golden_test.cc
    conformance/special_values_test.cc
    conformance/placed_operands_test.cc
    conformance/guarded_buffer.cc conformance/host_operands.cc conformance/machine.cc conformance/operand_memory.cc
    conformance/placed_operands.cc conformance/random.cc conformance/run.cc ${case_files}
    conformance/mixed_test.cc conformance/pairs_test.cc
  DEPS rf_cpu rf_hip rf_hip_test_util nlohmann_json::nlohmann_json
  FILTER -*emulated*
  SHARDS 2)
if(RF_BUILD_TESTS)
  # The emulator's cases, those of fewer rows: `rf_conformance_test --gtest_filter=*emulated*` runs those of full size. No result may
  # depend on whose turn it is: the last come first, or with a sanitizer anybody.
  rf_add_shards(conformance_emulated rf_conformance_test *emulated* 2)
  set(order reverse)
  if(RF_SANITIZE)
    set(order random)
  endif()
  # Nothing takes longer: they are started first.
  foreach(shard 0 1)
    set_property(TEST conformance_emulated_${shard} APPEND PROPERTY ENVIRONMENT ROCMFORGE_CONFORMANCE=small ROCMFORGE_EMULATOR_ORDER=${order})
    set_tests_properties(conformance_emulated_${shard} conformance_${shard} PROPERTIES COST 1000)
  endforeach()
  # Those have the matrix instructions of NVIDIA's GPUs and of gfx942; the other families' have their operands in other lanes.
  if(NOT RF_SANITIZE)
    foreach(family gfx11 gfx12 gfx90a)
      set(device emulated?0)  # a colon divides filters
      if(family STREQUAL gfx90a)
        set(device emulated?1)
      endif()
      rf_add_shards(conformance_${family} rf_conformance_test "MatchesReference.*matmul_*${device}:*attention_F16_${device}:Pairs*:Machines/Mixed.*${device}" 1)
      set_property(TEST conformance_${family} APPEND PROPERTY ENVIRONMENT ROCMFORGE_CONFORMANCE=tiny ROCMFORGE_EMULATOR_MATRICES=${family})
    endforeach()
  endif()
  target_compile_definitions(rf_conformance_test PRIVATE RF_MODULE_FOLDER="${CMAKE_BINARY_DIR}")
  if(TARGET rocmforge_emulated)
    add_dependencies(rf_conformance_test rocmforge_emulated)  # opened at run time
  endif()
  target_include_directories(rf_conformance_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
endif()
