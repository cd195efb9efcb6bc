# The language and warnings of every target. JavaScript's arithmetic has no fused multiply-add, hence
# -ffp-contract=off everywhere (spec, Decisions 9).
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_compile_options(-Wall -Wextra -Werror -Wshadow -Wvla -ffp-contract=off -fno-omit-frame-pointer
    # A frame larger than the guard page must not jump over it.
    -fstack-protector-strong -fstack-clash-protection
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
    # Tables end their entries where the rest is zero; that is how a field table reads.
    -Wno-missing-field-initializers)
add_link_options(-Wl,-z,relro,-z,now -Wl,--build-id=sha1)
add_compile_definitions(_GNU_SOURCE)
