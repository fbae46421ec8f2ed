#include "text/toolcall/schemas.h"

#include <algorithm>
#include <array>

#include "text/toolcall/json_copier.h"

namespace rf::toolcall {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> kCodeTools = {"python", "code_interpreter", "ipython"};
constexpr int kMaxAlternatives = 64;

unsigned KindOf(const Json& value) {
  if (value.is_string()) return ParameterType::kString;
  if (value.is_number()) return ParameterType::kNumber;
  if (value.is_boolean()) return ParameterType::kBoolean;
  if (value.is_null()) return ParameterType::kNull;
  return value.is_array() ? ParameterType::kArray : ParameterType::kObject;
}

unsigned KindOfName(const Json& name) {
  if (name == "string") return ParameterType::kString;
  if (name == "integer" || name == "number") return ParameterType::kNumber;
  if (name == "boolean") return ParameterType::kBoolean;
  if (name == "null") return ParameterType::kNull;
  if (name == "array") return ParameterType::kArray;
  return name == "object" ? ParameterType::kObject : 0;
}

// `type` as a name or a list of names, `const`, `enum`.
void AddPlain(const Json& schema, ParameterType& type) {
  if (!schema.is_object()) return;
  if (schema.contains("type")) {
    const Json& names = schema["type"];
    if (names.is_array()) {
      for (const Json& name : names) type.kinds |= KindOfName(name);
    } else {
      type.kinds |= KindOfName(names);
    }
    return;
  }
  if (schema.contains("const")) type.kinds |= KindOf(schema["const"]);
  if (schema.contains("enum") && schema["enum"].is_array()) {
    for (const Json& value : schema["enum"]) type.kinds |= KindOf(value);
  }
}

// One level of alternatives: what is nested deeper is unknown, and read by its looks.
ParameterType TypeOfSchema(const Json& schema) {
  ParameterType type;
  AddPlain(schema, type);
  if (!schema.is_object()) return type;
  for (const char* key : {"anyOf", "oneOf"}) {
    if (!schema.contains(key) || !schema[key].is_array()) continue;
    int n = 0;
    for (const Json& alternative : schema[key]) {
      if (++n > kMaxAlternatives) break;
      AddPlain(alternative, type);
    }
  }
  return type;
}

}  // namespace

ToolSchemas::ToolSchemas(const Json& tools) {
  if (!tools.is_array()) return;
  for (const Json& tool : tools) Add(tool);
}

void ToolSchemas::Add(const Json& tool) {
  if (!tool.is_object()) return;
  const Json& function = tool.contains("function") && tool["function"].is_object() ? tool["function"] : tool;
  if (!function.contains("name") || !function["name"].is_string()) return;
  Tool& added = tools_[function["name"].get<std::string>()];
  if (!function.contains("parameters") || !function["parameters"].is_object()) return;
  const Json& parameters = function["parameters"];
  if (!parameters.contains("properties") || !parameters["properties"].is_object()) return;
  for (const auto& [name, schema] : parameters["properties"].items()) {
    added.names.push_back(name);
    added.types[name] = TypeOfSchema(schema);
  }
}

ParameterType ToolSchemas::TypeOf(std::string_view tool, std::string_view parameter) const {
  const auto found = tools_.find(tool);
  if (found == tools_.end()) return {};
  const auto type = found->second.types.find(parameter);
  return type == found->second.types.end() ? ParameterType() : type->second;
}

std::string ToolSchemas::CodeTool() const {
  for (const std::string_view name : kCodeTools) {
    if (Has(name)) return std::string(name);
  }
  return "";
}

bool ToolSchemas::TakesCode(std::string_view tool) const {
  return Has(tool) && std::find(kCodeTools.begin(), kCodeTools.end(), tool) != kCodeTools.end();
}

std::string ToolSchemas::CodeParameter(std::string_view tool) const {
  const auto found = tools_.find(tool);
  if (found == tools_.end() || found->second.types.contains("code")) return "code";
  for (const std::string& name : found->second.names) {
    if (TypeOf(tool, name).may_be_string()) return name;
  }
  return "code";
}

std::string TypedValue(std::string_view text, ParameterType type) {
  std::string json;
  if (type.is_string_only() || !CopyWhole(text, json)) return JsonString(text);
  const unsigned kind = KindOf(Json::parse(json, nullptr, false));
  const bool is_text = kind == ParameterType::kString || (type.may_be_string() && (type.kinds & kind) == 0);
  return is_text ? JsonString(text) : json;
}

}  // namespace rf::toolcall
