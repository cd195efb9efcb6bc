# cpack -G DEB (scripts/package): pulse-edge is what cmake --install installs, pulse-edge-functions this repository's
# functions. What a host needs is depended on, what somebody who writes functions needs is recommended: `apt install`
# takes both, a server or an image says --no-install-recommends.
set(CPACK_PACKAGE_NAME pulse-edge)
set(CPACK_PACKAGE_CONTACT "Pulse Edge <maintainers@pulse-edge.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Runtime for edge functions written in C")
set(CPACK_PACKAGE_DESCRIPTION "One host process loads each function as a shared object and serves it at a URL.
With the SDK's headers, its CMake package, edge.pc and a unit for systemd.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# Not stripped: backtraces in the log name source lines.
set(CPACK_STRIP_FILES OFF)

set(CPACK_COMPONENTS_ALL host functions)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_SECTION httpd)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_HOST_PACKAGE_NAME pulse-edge)
# What is opened by name at run time, beside what the linker knows of.
set(CPACK_DEBIAN_HOST_PACKAGE_DEPENDS "libwebsockets-evlib-ev, ca-certificates, tzdata")
set(CPACK_DEBIAN_HOST_PACKAGE_RECOMMENDS
    "gcc, libc6-dev, cmake (>= 3.25), ninja-build, pkg-config, libjansson-dev, nodejs (>= 18), postgresql, curl")
set(CPACK_DEBIAN_FUNCTIONS_PACKAGE_NAME pulse-edge-functions)
set(CPACK_DEBIAN_FUNCTIONS_PACKAGE_DEPENDS "pulse-edge (>= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_FUNCTIONS_DESCRIPTION "The functions of Pulse Edge's own repository, as plugins for its host")
include(CPack)
