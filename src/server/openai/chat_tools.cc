#include "server/openai/chat_tools.h"

#include <fmt/format.h>

#include "text/grammar/schema_check.h"

namespace rf::server {
namespace {

using Json = Fields::Json;

constexpr size_t kMaxToolNameBytes = 256;

// Whether it is a schema at all. What could not be enforced is no error, since calls are not forced.
void CheckParameters(Fields& fields, const std::string& path, const Json& schema, int64_t& steps) {
  if (!schema.is_object()) return fields.Fail(path, "must be a JSON schema, an object");
  const Status status = grammar::CheckJsonSchema(schema, steps);
  if (!status) fields.Fail(path, status.error().ToString());
}

void CheckFunction(Fields& fields, const std::string& path, const Json& function, int64_t& steps) {
  if (!function.contains("name") || !function["name"].is_string()) {
    return fields.Fail(path + ".name", "a function needs a string 'name'");
  }
  const size_t n_bytes = function["name"].get_ref<const std::string&>().size();
  if (n_bytes == 0 || n_bytes > kMaxToolNameBytes) {
    return fields.Fail(path + ".name", fmt::format("the name must have 1 to {} bytes", kMaxToolNameBytes));
  }
  const auto is_absent = [&function](const char* key) { return !function.contains(key) || function[key].is_null(); };
  if (!is_absent("description") && !function["description"].is_string()) {
    return fields.Fail(path + ".description", "must be a string");
  }
  if (!is_absent("strict") && !function["strict"].is_boolean()) fields.Fail(path + ".strict", "must be a boolean");
  if (!is_absent("parameters")) CheckParameters(fields, path + ".parameters", function["parameters"], steps);
}

void CheckTool(Fields& fields, const std::string& path, const Json& tool, int64_t& steps) {
  if (!tool.is_object() || !tool.contains("type") || tool["type"] != "function") {
    return fields.Fail(path, "a tool must be an object of type \"function\"");
  }
  if (!tool.contains("function") || !tool["function"].is_object()) {
    return fields.Fail(path + ".function", "a tool needs an object 'function'");
  }
  CheckFunction(fields, path + ".function", tool["function"], steps);
}

void CheckChoice(Fields& fields, const Json& choice) {
  if (choice == "auto" || choice == "none") return;
  if (choice == "required" || choice.is_object()) {
    return fields.Unsupported(
        "tool_choice",
        "only \"auto\" and \"none\": the model cannot be forced to call, because output cannot be "
        "constrained to a grammar yet");
  }
  fields.Fail("tool_choice", "'tool_choice' must be \"auto\", \"none\", \"required\" or an object");
}

}  // namespace

ChatTools ReadChatTools(Fields& fields) {
  ChatTools tools;
  const Json* schemas = fields.Array("tools");
  const Json* choice = fields.Find("tool_choice");
  tools.is_parallel = fields.Bool("parallel_tool_calls").value_or(true);
  if (choice != nullptr) CheckChoice(fields, *choice);
  if (schemas == nullptr || schemas->empty()) return tools;
  if (schemas->size() > kMaxTools) {
    fields.Fail("tools", fmt::format("'tools' has {} entries (max {})", schemas->size(), kMaxTools));
    return tools;
  }
  int64_t steps = grammar::kMaxCheckSteps;  // for all of them together
  for (size_t i = 0; i < schemas->size() && fields.ok(); ++i) {
    CheckTool(fields, fmt::format("tools[{}]", i), (*schemas)[i], steps);
  }
  if (choice == nullptr || *choice != "none") tools.schemas = *schemas;
  return tools;
}

}  // namespace rf::server
