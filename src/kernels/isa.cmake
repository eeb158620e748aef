# Instruction sets: each a file or a pair with flags of its own, chosen at run time.
# Tiles are where multiply-adds may fuse; folds are not (fold.inc). The global properties SEQRING_ISAS and
# SEQRING_TILE_FLAGS_name tell tests which there are, and how tiles are compiled.
function(seqring_isa name symbol)
  set(flags ${ARGN})
  set(tile_flags ${flags} -O3 -ffp-contract=fast)
  set_property(GLOBAL APPEND PROPERTY SEQRING_ISAS ${name})
  set_property(GLOBAL PROPERTY SEQRING_TILE_FLAGS_${name} ${tile_flags})
  target_sources(sr_kernels PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/kernels/tile_${name}.c)
  set_source_files_properties(kernels/tile_${name}.c PROPERTIES COMPILE_OPTIONS "${tile_flags}")
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/kernels/fold_${name}.c)
    target_sources(sr_kernels PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/kernels/fold_${name}.c)
    set_source_files_properties(kernels/fold_${name}.c PROPERTIES COMPILE_OPTIONS "${flags};-O3")
  endif()
  if(symbol)
    target_compile_definitions(sr_kernels PRIVATE ${symbol})
  endif()
endfunction()

seqring_isa(portable "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  set(aligned -falign-functions=64 -falign-loops=32) # Zen 3's speed in a loop hangs on where it starts, by up to 2 %
  seqring_isa(avx2 SR_BUILD_AVX2 -mavx2 -mfma -mf16c ${aligned})
  set(avx512 -mavx512f -mavx512vl -mavx512bw -mavx512dq -mavx2 -mfma -mf16c -mprefer-vector-width=512)
  seqring_isa(avx512 SR_BUILD_AVX512 ${avx512})
  seqring_isa(avx512bf16 SR_BUILD_AVX512BF16 ${avx512} -mavx512bf16)
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
  seqring_peak(avx512bf16 -mavx512f -mavx512bf16)
endif()
