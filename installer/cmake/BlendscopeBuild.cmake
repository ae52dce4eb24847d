# Compiler settings that every target of the project shares.

set(BLENDSCOPE_PLUGIN_DIR "${CMAKE_INSTALL_LIBDIR}/blendscope/plugins")
set(BLENDSCOPE_DATA_DIR "${CMAKE_INSTALL_DATADIR}/blendscope")

add_library(blendscope_options INTERFACE)
add_library(Blendscope::options ALIAS blendscope_options)
target_compile_features(blendscope_options INTERFACE cxx_std_20)
target_compile_definitions(blendscope_options INTERFACE QT_NO_KEYWORDS QT_NO_CAST_TO_ASCII)
target_compile_options(blendscope_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wno-psabi>
  # Results must not depend on the processor: no contraction, no reassociation; traps and errno are not used.
  $<$<COMPILE_LANGUAGE:CXX>:-fno-math-errno -fno-trapping-math>)
if(BLENDSCOPE_WERROR)
  target_compile_options(blendscope_options INTERFACE -Werror)
endif()
if(BLENDSCOPE_NATIVE AND NOT BLENDSCOPE_SANITIZE)
  target_compile_options(blendscope_options INTERFACE -march=native)
endif()
if(BLENDSCOPE_SANITIZE)
  target_compile_options(blendscope_options INTERFACE -fsanitize=${BLENDSCOPE_SANITIZE} -fno-omit-frame-pointer -O1)
  target_link_options(blendscope_options INTERFACE -fsanitize=${BLENDSCOPE_SANITIZE})
endif()
