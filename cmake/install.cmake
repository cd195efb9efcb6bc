# cmake --install: the host, and what a plugin needs to be built elsewhere against it: the SDK's headers, edge.pc
# for any build system, edge-config.cmake for CMake.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The ABI's version stands in the header, once.
file(STRINGS ${PROJECT_SOURCE_DIR}/sdk/include/edge/function.h abi_lines REGEX "^#define EDGE_ABI_(MAJOR|MINOR) ")
string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*" "\\1.\\2" EDGE_ABI "${abi_lines}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sdk/include/edge/function.h)

set(edge_cmake_directory ${CMAKE_INSTALL_LIBDIR}/cmake/edge)
file(RELATIVE_PATH EDGE_CMAKE_TO_INCLUDE ${CMAKE_INSTALL_FULL_LIBDIR}/cmake/edge ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_package_config_file(cmake/edge-config.cmake.in ${PROJECT_BINARY_DIR}/install/edge-config.cmake
    INSTALL_DESTINATION ${edge_cmake_directory})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/install/edge-config-version.cmake
    COMPATIBILITY SameMinorVersion)
file(RELATIVE_PATH EDGE_UP_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REPLACE ";" " " EDGE_PLUGIN_FLAGS_TEXT "${EDGE_PLUGIN_FLAGS}")
configure_file(sdk/edge.pc.in ${PROJECT_BINARY_DIR}/install/edge.pc @ONLY)

set(edge_documents docs/tutorial.md docs/sdk.md docs/first-function.md docs/from-supabase.md docs/limits.md docs/operating.md
    docs/deploying.md docs/reload.md docs/security.md)
install(TARGETS edge RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT host)
install(DIRECTORY sdk/include/edge DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT host FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_BINARY_DIR}/install/edge.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT host)
install(FILES
    ${PROJECT_BINARY_DIR}/install/edge-config.cmake
    ${PROJECT_BINARY_DIR}/install/edge-config-version.cmake
    cmake/edge_add_function.cmake
    DESTINATION ${edge_cmake_directory} COMPONENT host)
install(FILES sdk/libedge.map DESTINATION ${CMAKE_INSTALL_DATADIR}/edge COMPONENT host)
install(DIRECTORY sql/migrations DESTINATION ${CMAKE_INSTALL_DATADIR}/edge/sql COMPONENT host
    FILES_MATCHING PATTERN "*.sql")
install(DIRECTORY deploy DESTINATION ${CMAKE_INSTALL_DATADIR}/edge COMPONENT host)
install(FILES deploy/systemd/pulse-edge.service deploy/systemd/pulse-edge.socket
    DESTINATION lib/systemd/system COMPONENT host)
install(FILES ${edge_documents} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/edge COMPONENT host)
install(DIRECTORY ${PROJECT_BINARY_DIR}/functions DESTINATION lib/edge COMPONENT functions EXCLUDE_FROM_ALL
    FILES_MATCHING PATTERN "*.so")
install(FILES functions.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/edge COMPONENT functions EXCLUDE_FROM_ALL)
