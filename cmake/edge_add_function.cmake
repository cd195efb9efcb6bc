# What every plugin is compiled and linked with; edge.pc gives the compiler's part. JavaScript's arithmetic has no
# fused multiply-add (spec, Decisions 9); a frame larger than a fiber's guard page must not jump over it; the build
# id names the generation in answers and in the log.
set(EDGE_PLUGIN_FLAGS -fPIC -fvisibility=hidden -ffp-contract=off -fno-omit-frame-pointer -fstack-clash-protection)
set(EDGE_PLUGIN_LINK_FLAGS -Wl,-z,relro,-z,now -Wl,--build-id=sha1)

# edge_add_function(NAME SOURCE... [OUTPUT_DIRECTORY directory] [INCLUDE directory...]): a plugin NAME.so, whose
# include path holds the SDK and its own tree only. What it needs of the SDK is resolved by the host that loads it.
function(edge_add_function name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_DIRECTORY" "INCLUDE")
    add_library(${name} MODULE ${arg_UNPARSED_ARGUMENTS})
    set_target_properties(${name} PROPERTIES PREFIX "" C_STANDARD 17 C_EXTENSIONS ON)
    if(arg_OUTPUT_DIRECTORY)
        set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY})
    endif()
    target_compile_options(${name} PRIVATE ${EDGE_PLUGIN_FLAGS})
    target_link_options(${name} PRIVATE ${EDGE_PLUGIN_LINK_FLAGS})
    target_include_directories(${name} PRIVATE ${arg_INCLUDE})
    target_link_libraries(${name} PRIVATE edge::sdk m)
endfunction()
