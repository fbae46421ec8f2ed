// What the schemas of a request's tools say about arguments.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace rf::toolcall {

/// The kinds of value that a parameter's schema allows, as bits.
struct ParameterType {
  static constexpr unsigned kString = 1, kNumber = 2, kBoolean = 4, kNull = 8, kArray = 16, kObject = 32;
  unsigned kinds = 0;

  /// The schema does not say (or there is none).
  bool is_unknown() const { return kinds == 0; }
  bool may_be_string() const { return (kinds & kString) != 0; }
  bool is_string_only() const { return kinds == kString; }
};

/// The names and parameters of tools in OpenAI's shape. Never fails: what is not understood is unknown.
class ToolSchemas {
 public:
  ToolSchemas() = default;
  /// `tools`: [{"type": "function", "function": {"name", "parameters"}}], or the functions themselves; null for none.
  explicit ToolSchemas(const nlohmann::ordered_json& tools);

  bool empty() const { return tools_.empty(); }
  bool Has(std::string_view name) const { return tools_.find(name) != tools_.end(); }
  ParameterType TypeOf(std::string_view tool, std::string_view parameter) const;

  /// The tool that bare program text is meant for: "python", "code_interpreter" or "ipython"; empty if there is none.
  std::string CodeTool() const;
  /// Whether program text in place of arguments is meant for this tool.
  bool TakesCode(std::string_view tool) const;
  /// The parameter that takes the program: "code" if there is one, else the first that takes a string, else "code".
  std::string CodeParameter(std::string_view tool) const;

 private:
  struct Tool {
    std::vector<std::string> names;  // of the parameters, in order
    std::map<std::string, ParameterType, std::less<>> types;
  };
  void Add(const nlohmann::ordered_json& tool);

  std::map<std::string, Tool, std::less<>> tools_;
};

/// The JSON value that `text` stands for in a syntax that does not tell strings from other values: the value that it
/// spells in JSON or Python, unless that is a string, or the schema wants a string and not such a value; else the text
/// itself as a string.
std::string TypedValue(std::string_view text, ParameterType type);

}  // namespace rf::toolcall
