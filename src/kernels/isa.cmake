# Instruction sets beyond the portable one: each a pair of files with flags of its own, chosen at run time.
# Tiles are where multiply-adds may fuse; folds are not (fold.inc).
function(seqring_isa name symbol)
  set(flags ${ARGN})
  target_sources(sr_kernels PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/kernels/tile_${name}.c
                                    ${CMAKE_CURRENT_SOURCE_DIR}/kernels/fold_${name}.c)
  set_source_files_properties(kernels/tile_${name}.c PROPERTIES COMPILE_OPTIONS "${flags};-O3;-ffp-contract=fast")
  set_source_files_properties(kernels/fold_${name}.c PROPERTIES COMPILE_OPTIONS "${flags};-O3")
  if(symbol)
    target_compile_definitions(sr_kernels PRIVATE ${symbol})
  endif()
endfunction()

seqring_isa(portable "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  seqring_isa(avx2 SR_BUILD_AVX2 -mavx2 -mfma)
  seqring_isa(avx512 SR_BUILD_AVX512 -mavx512f -mavx512vl -mavx512bw -mavx512dq -mavx2 -mfma
              -mprefer-vector-width=512)
endif()

# The loops of peak.h, likewise. An instruction set may share another's: peak.c.
function(seqring_peak name)
  target_sources(sr_kernels PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/kernels/peak_${name}.c)
  set_source_files_properties(kernels/peak_${name}.c PROPERTIES COMPILE_OPTIONS "${ARGN};-O3;-ffp-contract=fast")
endfunction()

seqring_peak(portable)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  seqring_peak(avx2 -mavx2 -mfma)
  seqring_peak(avx512 -mavx512f -mfma -mprefer-vector-width=512)
endif()
