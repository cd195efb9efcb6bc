# edge_add_function(NAME SOURCE...): a plugin NAME.so, whose include path holds the SDK and its own tree only.
# What it needs of libedge is resolved by the host that loads it.
function(edge_add_function name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_DIRECTORY" "INCLUDE")
    add_library(${name} MODULE ${arg_UNPARSED_ARGUMENTS})
    set_target_properties(${name} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden)
    if(arg_OUTPUT_DIRECTORY)
        set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY})
    endif()
    target_include_directories(${name} PRIVATE ${arg_INCLUDE})
    target_link_libraries(${name} PRIVATE edge_sdk_headers PkgConfig::JANSSON m)
endfunction()
