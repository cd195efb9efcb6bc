/*
 * toml++ behind a C interface: the only C++ in the tree. Nothing of it, no exception included, leaves this
 * file. What it cannot be given is refused by toml_scan; should anything else surprise it, its assertions
 * throw.
 */
#undef NDEBUG
struct toml_assertion {
};
[[noreturn]] static void toml_assertion_failed()
{
    throw toml_assertion();
}
#define TOML_ASSERT(expression) (static_cast<bool>(expression) ? static_cast<void>(0) : toml_assertion_failed())
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

#include "toml.h"
#include "toml_scan.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <new>
#include <sstream>
#include <string>

namespace
{

json_t *json_of(const toml::node &node, const std::string &path, json_t *lines);

/* A key as it is written in a path: quoted when it could be taken for something else. */
std::string path_of(const std::string &parent, std::string_view key)
{
    const bool bare =
        !key.empty() &&
        key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == key.npos;
    std::string path = parent.empty() ? "" : parent + ".";
    return bare ? path.append(key) : path.append("\"").append(key).append("\"");
}

void note_line(json_t *lines, const std::string &path, toml::source_position at)
{
    if (json_object_setn_new(lines, path.data(), path.size(), json_integer(at.line)) != 0)
        throw std::bad_alloc();
}

json_t *json_of_table(const toml::table &table, const std::string &path, json_t *lines)
{
    json_t *object = json_object();
    for (const auto &[key, value] : table) {
        const std::string member = path_of(path, key.str());
        note_line(lines, member, key.source().begin);
        if (json_object_setn_new(object, key.str().data(), key.str().size(), json_of(value, member, lines)) !=
            0)
            throw std::bad_alloc();
    }
    return object;
}

json_t *json_of_array(const toml::array &array, const std::string &path, json_t *lines)
{
    json_t *list = json_array();
    size_t index = 0;
    for (const auto &value : array) {
        const std::string member = path + "[" + std::to_string(index++) + "]";
        note_line(lines, member, value.source().begin);
        if (json_array_append_new(list, json_of(value, member, lines)) != 0)
            throw std::bad_alloc();
    }
    return list;
}

template <typename Time> json_t *json_of_time(const Time &time)
{
    std::ostringstream text;
    text << time;
    return json_pack("{s:s}", "$datetime", text.str().c_str());
}

json_t *json_of_float(double value)
{
    if (std::isfinite(value))
        return json_real(value);
    return json_pack("{s:s}", "$float", std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

json_t *json_of(const toml::node &node, const std::string &path, json_t *lines)
{
    switch (node.type()) {
    case toml::node_type::table:
        return json_of_table(*node.as_table(), path, lines);
    case toml::node_type::array:
        return json_of_array(*node.as_array(), path, lines);
    case toml::node_type::string: {
        const std::string &text = node.as_string()->get();
        return json_stringn(text.data(), text.size());
    }
    case toml::node_type::integer:
        return json_integer(node.as_integer()->get());
    case toml::node_type::floating_point:
        return json_of_float(node.as_floating_point()->get());
    case toml::node_type::boolean:
        return json_boolean(node.as_boolean()->get());
    case toml::node_type::date:
        return json_of_time(node.as_date()->get());
    case toml::node_type::time:
        return json_of_time(node.as_time()->get());
    case toml::node_type::date_time:
        return json_of_time(node.as_date_time()->get());
    default:
        return json_null();
    }
}

int fill_error(const toml::parse_error &failure, struct toml_error *error)
{
    error->line = static_cast<int>(failure.source().begin.line);
    error->column = static_cast<int>(failure.source().begin.column);
    const std::string_view text = failure.description();
    std::snprintf(error->text, sizeof error->text, "%.*s", static_cast<int>(text.size()), text.data());
    return -EINVAL;
}

} /* namespace */

extern "C" int toml_parse(
    const char *text, size_t length, struct toml_document *document, struct toml_error *error)
{
    *document = {};
    *error = {};
    if (toml_scan(text, length, error) != 0)
        return -EINVAL;
    try {
        const toml::table table = toml::parse(std::string_view(text, length));
        document->lines = json_object();
        document->root = json_of_table(table, "", document->lines);
        return 0;
    } catch (const toml::parse_error &failure) {
        return fill_error(failure, error);
    } catch (const toml_assertion &) {
        *error = { 1, 1, "is no TOML" };
        return -EINVAL;
    } catch (...) {
        toml_free(document);
        return -ENOMEM;
    }
}

extern "C" void toml_free(struct toml_document *document)
{
    json_decref(document->root);
    json_decref(document->lines);
    *document = {};
}

extern "C" int toml_line(const struct toml_document *document, const char *path)
{
    return static_cast<int>(json_integer_value(json_object_get(document->lines, path)));
}
