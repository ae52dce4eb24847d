# blendscope_add_method(NAME <id> SOURCES <files...> [LIBRARIES <targets...>] [NEURAL])
#
# Builds the method of the current folder as a module beside a copy of its method.json. The same call serves inside
# the tree and outside it (find_package(Blendscope)). Tests in <folder>/tests/tst_*.cpp are found by the test suite.
# NEURAL links Blendscope::neural (LibTorch) and shares its precompiled header; where Blendscope was configured without
# LibTorch, such a method is left out. Its recipe.json, if there is one, travels in the module: #include "Recipe.h"
# defines kRecipe.
function(blendscope_add_method)
  cmake_parse_arguments(ARG "NEURAL" "NAME" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT ARG_NAME OR NOT ARG_SOURCES)
    message(FATAL_ERROR "blendscope_add_method needs NAME and SOURCES")
  endif()
  if(ARG_NEURAL AND NOT TARGET Blendscope::neural)
    message(STATUS "Method ${ARG_NAME} is left out: it needs LibTorch")
    return()
  endif()
  if(NOT BLENDSCOPE_PLUGIN_DIR)
    set(BLENDSCOPE_PLUGIN_DIR "lib/blendscope/plugins")
  endif()
  set(target "method_${ARG_NAME}")
  add_library(${target} MODULE ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE Blendscope::engine ${ARG_LIBRARIES})
  if(TARGET Blendscope::options)
    target_link_libraries(${target} PRIVATE Blendscope::options)
  endif()
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  set_target_properties(${target} PROPERTIES BLENDSCOPE_NEURAL "${ARG_NEURAL}")
  if(ARG_NEURAL)
    target_link_libraries(${target} PRIVATE Blendscope::neural)
    blendscope_use_torch_header(${target})
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON) # reading the header takes longer than most files
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/recipe.json")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/recipe.json")
      file(READ recipe.json recipe)
      file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/Recipe.h" @ONLY
        CONTENT "#pragma once\n\ninline constexpr char kRecipe[] = R\"json(@recipe@)json\";\n")
      target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
    endif()
  endif()
  set(folder "${CMAKE_BINARY_DIR}/${BLENDSCOPE_PLUGIN_DIR}/${ARG_NAME}")
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME "${ARG_NAME}" LIBRARY_OUTPUT_DIRECTORY "${folder}" CXX_STANDARD 20)
  configure_file("${CMAKE_CURRENT_SOURCE_DIR}/method.json" "${folder}/method.json" COPYONLY)
  install(TARGETS ${target} LIBRARY DESTINATION "${BLENDSCOPE_PLUGIN_DIR}/${ARG_NAME}")
  install(FILES method.json DESTINATION "${BLENDSCOPE_PLUGIN_DIR}/${ARG_NAME}")
  foreach(weights model start) # the shipped model, and what its training began with
    if(NOT IS_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/${weights}")
      continue()
    endif()
    install(DIRECTORY ${weights} DESTINATION "${BLENDSCOPE_PLUGIN_DIR}/${ARG_NAME}")
    file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}/${weights}" "${folder}/${weights}" SYMBOLIC)
  endforeach()
endfunction()

# LibTorch's headers take half a minute to parse: inside the tree a target uses what blendscope_neural has compiled
# already, which needs the same flags and definitions; outside it has none.
function(blendscope_use_torch_header target)
  if(TARGET blendscope_neural)
    set_target_properties(${target} PROPERTIES DEFINE_SYMBOL "")
    target_compile_options(${target} PRIVATE -fPIC)
    target_precompile_headers(${target} REUSE_FROM blendscope_neural)
  endif()
endfunction()
