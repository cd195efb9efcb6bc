/*
 * Which addresses are public: the edges of every range, in both families.
 */
#include <http/address.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *const refused[] = { "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0",
    "100.127.255.255", "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.169.254", "172.16.0.0",
    "172.31.255.255", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0",
    "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::2", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1",
    "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::", "3ffe::1", "3fff::1", "3fff:fff:ffff::1", "4000::1",
    "5f00::1", "1fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1", NULL };

static const char *const public[] = { "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "168.63.129.15", "169.253.255.255", "169.255.0.0", "172.15.255.255",
    "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
    "223.255.255.255", "93.184.216.34", "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111",
    "2a00:1450:4001::1", "3fff:1000::1", "2000::1", NULL };

static const char *look_up(const char *text)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } address;
    memset(&address, 0, sizeof address);
    address.any.sa_family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    void *bytes = address.any.sa_family == AF_INET6 ? (void *)&address.in6.sin6_addr : &address.in.sin_addr;
    assert_int_equal(inet_pton(address.any.sa_family, text, bytes), 1);
    return address_refusal(&address.any);
}

static void test_refused(void **state)
{
    (void)state;
    for (const char *const *text = refused; *text != NULL; text++) {
        if (look_up(*text) == NULL || address_text_refusal(*text) == NULL)
            fail_msg("%s passes", *text);
    }
    assert_string_equal(look_up("10.1.2.3"), "private (RFC 1918)");
    assert_string_equal(look_up("4000::1"), "not global unicast (RFC 4291)");
}

static void test_public(void **state)
{
    (void)state;
    for (const char *const *text = public; *text != NULL; text++) {
        if (look_up(*text) != NULL || address_text_refusal(*text) != NULL)
            fail_msg("%s is refused: %s", *text, look_up(*text));
    }
}

static void test_what_is_no_address(void **state)
{
    (void)state;
    assert_null(address_text_refusal("example.com"));
    struct sockaddr local = { .sa_family = AF_UNIX };
    assert_non_null(address_refusal(&local));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_public),
        cmocka_unit_test(test_what_is_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
