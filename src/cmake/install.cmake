# What `cmake --install` copies, and how other projects find it: find_package(seqring) and pkg-config. The installed tree
# may be moved: nothing in it names the prefix.
include(CMakePackageConfigHelpers)

install(TARGETS seqring seqring_io EXPORT seqring-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS seqring_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/seqring DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/seqring/configs
        FILES_MATCHING PATTERN *.yaml)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/seqring)
install(EXPORT seqring-targets NAMESPACE seqring:: DESTINATION ${package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/seqring-config.cmake.in ${PROJECT_BINARY_DIR}/seqring-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/seqring-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/seqring-config.cmake ${PROJECT_BINARY_DIR}/seqring-config-version.cmake
        DESTINATION ${package_dir})

# From the .pc files, which pkg-config knows the place of, to the prefix.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_to_prefix ${pc_to_prefix})
foreach(dir libdir includedir)
  string(TOUPPER CMAKE_INSTALL_${dir} installed)
  set(pc_${dir} ${${installed}})
  if(NOT IS_ABSOLUTE ${${installed}})
    set(pc_${dir} "\${prefix}/${${installed}}")
  endif()
endforeach()
set(hdf5_libraries ${HDF5_C_HL_LIBRARIES} ${HDF5_C_LIBRARIES})
list(JOIN hdf5_libraries " " pc_io_private)
string(APPEND pc_io_private " -ljansson -lxxhash")
foreach(module seqring seqring_io)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${module}.pc.in ${PROJECT_BINARY_DIR}/${module}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${module}.pc DESTINATION ${pc_dir})
endforeach()
